-- Who there is: hierarchies, their profiles and authorities, agents, operators' grants, join tokens.
--
-- Applied by `agentpki-server migrate` as the role that owns the schema. The role agentpki_server is
-- what the server runs as: it gets here what a server needs and no more. Row-level security keeps a
-- statement within the one hierarchy that its transaction has named (agentpki.hierarchy).

CREATE SCHEMA agentpki;
GRANT USAGE ON SCHEMA agentpki TO agentpki_server;

-- The hierarchy that the transaction works in; NULL when it named none, which is no row's hierarchy.
CREATE FUNCTION agentpki.current_hierarchy() RETURNS integer
LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT nullif(current_setting('agentpki.hierarchy', true), '')::integer $$;

-- ---- hierarchies ------------------------------------------------------------------------------

CREATE TABLE agentpki.hierarchies (
  id                       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant                   text NOT NULL CHECK (tenant ~ '^[a-z0-9-]{1,32}$'),
  environment              text NOT NULL CHECK (environment ~ '^[a-z0-9-]{1,32}$'),
  trust_domain             text NOT NULL,
  is_system                boolean NOT NULL,
  token                    text NOT NULL,  -- the label of the one that it pins, or ''
  root_lifetime_seconds    bigint NOT NULL,
  issuing_lifetime_seconds bigint NOT NULL,
  rotate_every_seconds     bigint NOT NULL,
  publish_ahead_seconds    bigint NOT NULL,
  acknowledged_share       smallint NOT NULL CHECK (acknowledged_share BETWEEN 0 AND 100),  -- percent
  acknowledge_within_seconds bigint NOT NULL,
  dns_subtrees             text[] NOT NULL,
  ip_ranges                text[] NOT NULL,
  external_roots           text NOT NULL,  -- PEM, oldest first; '': its root is ours
  -- What takes two (0007_approvals.sql).
  approve_root_rotation        boolean NOT NULL,
  approve_destruction          boolean NOT NULL,
  approve_policy_widening      boolean NOT NULL,
  approve_authority_revocation boolean NOT NULL,
  approvals_expire_after_seconds bigint NOT NULL,
  -- Of the CRLs and OCSP responses; NULL: as the server's configuration says.
  crl_lifetime_seconds     bigint,
  ocsp_lifetime_seconds    bigint,
  crl_shard_size           bigint,
  delta_crls               boolean,
  created_at               timestamptz NOT NULL,
  -- 0006_destruction.sql: when it was destroyed, and from when on nobody has to know of it any more:
  -- its keys are destroyed, that is on record, and the last of its agents' certificates has ended.
  destroyed_at             timestamptz,
  settled_at               timestamptz,
  CHECK (settled_at IS NULL OR destroyed_at IS NOT NULL)
);
-- The name and the trust domain of one that is destroyed are free for another.
CREATE UNIQUE INDEX hierarchies_by_name ON agentpki.hierarchies (tenant, environment)
  WHERE destroyed_at IS NULL;
CREATE UNIQUE INDEX hierarchies_by_trust_domain ON agentpki.hierarchies (trust_domain)
  WHERE destroyed_at IS NULL;
CREATE UNIQUE INDEX one_system_hierarchy ON agentpki.hierarchies (is_system) WHERE is_system;

CREATE TABLE agentpki.profiles (
  hierarchy        integer NOT NULL REFERENCES agentpki.hierarchies,
  name             text NOT NULL CHECK (name ~ '^[a-z0-9-]{1,32}$'),
  lifetime_seconds bigint NOT NULL,
  key_types        text[] NOT NULL,
  client_auth      boolean NOT NULL,
  server_auth      boolean NOT NULL,
  host_names       boolean NOT NULL,
  status_free      boolean NOT NULL,
  position         integer NOT NULL,  -- the first is the default
  PRIMARY KEY (hierarchy, name),
  UNIQUE (hierarchy, position) DEFERRABLE INITIALLY DEFERRED
);

-- Who may have a certificate (ca/certificates/policy.h): the rules of a hierarchy in their order.
CREATE TABLE agentpki.enrollment_rules (
  hierarchy  integer NOT NULL REFERENCES agentpki.hierarchies,
  position   integer NOT NULL,  -- from 1 on
  name       text NOT NULL CHECK (name ~ '^[a-z0-9-]{1,32}$'),
  effect     text NOT NULL CHECK (effect IN ('admit', 'refuse')),
  reason     text NOT NULL,
  agents     text[] NOT NULL,  -- patterns, as the following; an empty list is no condition
  owners     text[] NOT NULL,
  roles      text[] NOT NULL,
  versions   text[] NOT NULL,
  profiles   text[] NOT NULL,
  key_types  text[] NOT NULL,
  operations text[] NOT NULL,
  PRIMARY KEY (hierarchy, position),
  UNIQUE (hierarchy, name)
);

-- Three rows make an authority, each inserted when it is so: planned, recorded, signed. Or two, where
-- somebody else signs: planned, imported; a root of somebody else's has no key. Whatever key is on the
-- token has its plan here. An OCSP responder is one too, of the authority it answers for, and
-- a recorder, which signs records. So is the link to a root, which is that root's name and key signed by
-- the root before: the one that has no key of its own.
CREATE TABLE agentpki.authorities (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hierarchy  integer NOT NULL REFERENCES agentpki.hierarchies,
  kind       text NOT NULL CHECK (kind IN ('root', 'issuing', 'responder', 'link', 'recorder')),
  generation integer NOT NULL CHECK (generation > 0),
  issuer     bigint REFERENCES agentpki.authorities,  -- NULL for a root
  key_label  text CHECK (key_label IS NOT NULL OR kind = 'root'),
  planned_at timestamptz NOT NULL,
  UNIQUE (hierarchy, kind, generation),
  UNIQUE (id, hierarchy),  -- for what says both
  CHECK ((kind = 'root') = (issuer IS NULL))
);
CREATE UNIQUE INDEX one_key_each ON agentpki.authorities (key_label) WHERE kind <> 'link';
CREATE TABLE agentpki.authority_issuances (
  authority       bigint PRIMARY KEY REFERENCES agentpki.authorities,
  serial          bytea NOT NULL UNIQUE,
  key_fingerprint bytea NOT NULL,
  not_before      timestamptz NOT NULL,
  not_after       timestamptz NOT NULL,
  tbs             bytea NOT NULL,
  recorded_at     timestamptz NOT NULL
);
CREATE TABLE agentpki.authority_signatures (
  authority bigint PRIMARY KEY REFERENCES agentpki.authority_issuances,
  signature bytea NOT NULL,
  signed_at timestamptz NOT NULL
);
CREATE TABLE agentpki.authority_imports (
  authority     bigint PRIMARY KEY REFERENCES agentpki.authorities,
  root          bigint NOT NULL REFERENCES agentpki.authorities,  -- itself, for a root
  certificate   bytea NOT NULL,
  intermediates text NOT NULL,  -- PEM, nearest first: what stands between the two
  imported_at   timestamptz NOT NULL
);

-- Which issuing authority signs, and since when: of each hierarchy the row with the highest sequence
-- says so. There is never none or two, going back is one more row, and of two who activate at once the
-- key lets one.
CREATE TABLE agentpki.activations (
  hierarchy    integer NOT NULL,
  sequence     integer NOT NULL CHECK (sequence > 0),
  authority    bigint NOT NULL,
  activated_at timestamptz NOT NULL,
  PRIMARY KEY (hierarchy, sequence),
  FOREIGN KEY (authority, hierarchy) REFERENCES agentpki.authorities (id, hierarchy)
);

-- An issuing authority that is not to issue any more: tainted, revoked, or first the one and then the
-- other.
CREATE TABLE agentpki.authority_taints (
  authority  bigint NOT NULL REFERENCES agentpki.authorities,
  is_revoked boolean NOT NULL,
  reason     text NOT NULL CHECK (reason <> ''),
  tainted_at timestamptz NOT NULL,
  PRIMARY KEY (authority, is_revoked)
);

-- The end of an authority's key, two rows, each inserted when it is so: decided, destroyed. What is
-- decided stays decided, so that a crash between the two leaves no key that somebody still counts on.
CREATE TABLE agentpki.key_destructions (
  authority  bigint PRIMARY KEY REFERENCES agentpki.authorities,
  reason     text NOT NULL CHECK (reason <> ''),
  decided_at timestamptz NOT NULL
);
CREATE TABLE agentpki.destroyed_keys (
  authority    bigint PRIMARY KEY REFERENCES agentpki.key_destructions,
  destroyed_at timestamptz NOT NULL
);

GRANT SELECT, INSERT ON agentpki.hierarchies, agentpki.profiles, agentpki.enrollment_rules,
  agentpki.authorities,
  agentpki.authority_issuances, agentpki.authority_signatures, agentpki.authority_imports,
  agentpki.activations, agentpki.authority_taints,
  agentpki.key_destructions, agentpki.destroyed_keys
  TO agentpki_server;
-- What a hierarchy is stays for ever; how it issues may change.
GRANT UPDATE (token, external_roots, root_lifetime_seconds, issuing_lifetime_seconds,
  rotate_every_seconds, publish_ahead_seconds, acknowledged_share, acknowledge_within_seconds, approve_root_rotation,
  approve_destruction, approve_policy_widening, approve_authority_revocation,
  approvals_expire_after_seconds, crl_lifetime_seconds, ocsp_lifetime_seconds, crl_shard_size, delta_crls)
  ON agentpki.hierarchies TO agentpki_server;
GRANT UPDATE, DELETE ON agentpki.profiles TO agentpki_server;
GRANT DELETE ON agentpki.enrollment_rules TO agentpki_server;

-- ---- agents -----------------------------------------------------------------------------------

CREATE TABLE agentpki.agents (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  hierarchy     integer NOT NULL REFERENCES agentpki.hierarchies,
  spiffe_id     text NOT NULL,
  owner         text NOT NULL CHECK (owner <> ''),
  role          text NOT NULL,
  version       text NOT NULL,
  profile       text NOT NULL,
  dns_names     text[] NOT NULL,
  ip_addresses  text[] NOT NULL,
  disabled      boolean NOT NULL DEFAULT false,
  registered_at timestamptz NOT NULL,
  UNIQUE (spiffe_id, hierarchy),  -- of one that is destroyed, and of the next with its trust domain
  FOREIGN KEY (hierarchy, profile) REFERENCES agentpki.profiles
);

-- Join tokens: single use by an update that only one transaction can make.
CREATE TABLE agentpki.join_tokens (
  secret_hash     bytea PRIMARY KEY CHECK (length(secret_hash) = 32),
  id              text NOT NULL UNIQUE,  -- public: the first 16 hex digits of secret_hash
  hierarchy       integer NOT NULL REFERENCES agentpki.hierarchies,
  agent           bigint NOT NULL REFERENCES agentpki.agents,
  created_by      text NOT NULL,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz NOT NULL,
  used_by_request uuid,
  used_at         timestamptz,
  revoked_at      timestamptz,
  CHECK ((used_by_request IS NULL) = (used_at IS NULL))
);
CREATE INDEX join_tokens_by_agent ON agentpki.join_tokens (agent);

-- What an operator may do: in one hierarchy, in all of a tenant, or (both NULL) in all there are.
-- Granting nothing is no row.
CREATE TABLE agentpki.grants (
  agent      bigint NOT NULL REFERENCES agentpki.agents,
  role       text NOT NULL CHECK (role IN ('admin', 'registrar', 'revoker', 'auditor')),
  hierarchy  integer REFERENCES agentpki.hierarchies,
  tenant     text,
  granted_at timestamptz NOT NULL,
  UNIQUE NULLS NOT DISTINCT (agent, role, hierarchy, tenant),
  CHECK (hierarchy IS NULL OR tenant IS NULL)
);

ALTER TABLE agentpki.agents ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.join_tokens ENABLE ROW LEVEL SECURITY;

-- An agent's name is in its hierarchy's trust domain: the third of three enforcements.
CREATE POLICY within_hierarchy ON agentpki.agents
  USING (hierarchy = agentpki.current_hierarchy())
  WITH CHECK (hierarchy = agentpki.current_hierarchy()
              AND starts_with(spiffe_id, (SELECT 'spiffe://' || h.trust_domain || '/'
                                            FROM agentpki.hierarchies AS h
                                           WHERE h.id = agentpki.current_hierarchy())));
CREATE POLICY within_hierarchy ON agentpki.join_tokens
  USING (hierarchy = agentpki.current_hierarchy());

GRANT SELECT, INSERT ON agentpki.agents, agentpki.join_tokens, agentpki.grants TO agentpki_server;
GRANT UPDATE (used_by_request, used_at, revoked_at) ON agentpki.join_tokens TO agentpki_server;
GRANT DELETE ON agentpki.grants TO agentpki_server;

-- ---- lookups that many callers share ----------------------------------------------------------

-- In PL/pgSQL, which keeps its plans for the session: a function in SQL would plan anew at each call.

CREATE FUNCTION agentpki.find_agents(p_hierarchy integer, p_spiffe_ids text[])
RETURNS SETOF agentpki.agents
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  RETURN QUERY SELECT * FROM agentpki.agents WHERE spiffe_id = ANY (p_spiffe_ids);
END $$;

-- A caller with a join token has only its secret, so this looks across hierarchies; and only by the
-- hash of a secret, so that it lists nothing.
CREATE FUNCTION agentpki.find_invitations(p_secret_hashes bytea[])
RETURNS TABLE (token agentpki.join_tokens, agent agentpki.agents)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT t, a
    FROM agentpki.join_tokens AS t JOIN agentpki.agents AS a ON a.number = t.agent
   WHERE t.secret_hash = ANY (p_secret_hashes);
END $$;

-- Operators are agents of the system hierarchy; their grants may be over any. One over a tenant is
-- one over each of its hierarchies.
CREATE FUNCTION agentpki.find_grants(p_spiffe_ids text[])
RETURNS TABLE (spiffe_id text, role text, hierarchy integer, tenant text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT a.spiffe_id, g.role, coalesce(g.hierarchy, t.id), g.tenant
    FROM agentpki.agents AS a
    JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy AND h.is_system
    JOIN agentpki.grants AS g ON g.agent = a.number
    LEFT JOIN agentpki.hierarchies AS t
           ON t.tenant = g.tenant AND (t.settled_at IS NULL OR t.settled_at > now())
   WHERE a.spiffe_id = ANY (p_spiffe_ids) AND NOT a.disabled;
END $$;

CREATE FUNCTION agentpki.list_grants()
RETURNS TABLE (spiffe_id text, role text, hierarchy integer, tenant text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT a.spiffe_id, g.role, g.hierarchy, g.tenant
    FROM agentpki.grants AS g JOIN agentpki.agents AS a ON a.number = g.agent
    LEFT JOIN agentpki.hierarchies AS h ON h.id = g.hierarchy
   WHERE h.destroyed_at IS NULL
   ORDER BY a.spiffe_id, g.tenant, g.hierarchy, g.role;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agentpki FROM PUBLIC;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA agentpki TO agentpki_server;
