-- The record of every issuance. The server's role inserts and reads here; it can neither update nor
-- delete. What has expired past its retention is dropped with its partition, by its day.

-- Record: what is about to be signed.
CREATE TABLE agentpki.issuances (
  expiry_day      date NOT NULL,  -- of not_after, in UTC; also in the serial's first octets
  serial          bytea NOT NULL,
  hierarchy       integer NOT NULL,
  authority       bigint NOT NULL,
  shard           integer NOT NULL CHECK (shard >= 0),  -- of the authority's CRLs
  agent           bigint NOT NULL,
  subject         text NOT NULL,
  profile         text NOT NULL,
  key_fingerprint bytea NOT NULL,
  not_before      timestamptz NOT NULL,
  not_after       timestamptz NOT NULL,
  tbs             bytea NOT NULL,
  recorded_at     timestamptz NOT NULL,
  PRIMARY KEY (serial, expiry_day)
) PARTITION BY RANGE (expiry_day);
CREATE INDEX issuances_by_agent ON agentpki.issuances (agent);

-- One key, one agent: who has a certificate for a key, for as long as that lives. A table of its own,
-- by month, so that looking a key up opens one or two partitions and not one for each day to come.
CREATE TABLE agentpki.key_holders (
  expiry_day      date NOT NULL,
  key_fingerprint bytea NOT NULL,
  agent           bigint NOT NULL,
  not_after       timestamptz NOT NULL
) PARTITION BY RANGE (expiry_day);
CREATE INDEX key_holders_by_key ON agentpki.key_holders (key_fingerprint);

-- Release: with its signature, a certificate may leave the server.
CREATE TABLE agentpki.signatures (
  expiry_day date NOT NULL,
  serial     bytea NOT NULL,
  hierarchy  integer NOT NULL,
  agent      bigint NOT NULL,
  signature  bytea NOT NULL,
  signed_at  timestamptz NOT NULL,
  PRIMARY KEY (serial, expiry_day)
) PARTITION BY RANGE (expiry_day);

-- What makes a retry safe: which serial a request was answered with.
CREATE TABLE agentpki.requests (
  request_day     date NOT NULL,  -- of the UUIDv7's own time
  request_id      uuid NOT NULL,
  agent           bigint NOT NULL,
  hierarchy       integer NOT NULL,
  key_fingerprint bytea NOT NULL,
  serial          bytea NOT NULL,
  PRIMARY KEY (request_id, agent, request_day)
) PARTITION BY RANGE (request_day);

ALTER TABLE agentpki.issuances ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.signatures ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.requests ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.issuances
  USING (hierarchy = agentpki.current_hierarchy())
  WITH CHECK (hierarchy = agentpki.current_hierarchy()
              AND starts_with(subject, (SELECT 'spiffe://' || h.trust_domain || '/'
                                          FROM agentpki.hierarchies AS h
                                         WHERE h.id = agentpki.current_hierarchy())));
CREATE POLICY within_hierarchy ON agentpki.signatures
  USING (hierarchy = agentpki.current_hierarchy());
CREATE POLICY within_hierarchy ON agentpki.requests
  USING (hierarchy = agentpki.current_hierarchy());

GRANT SELECT, INSERT ON agentpki.issuances, agentpki.signatures, agentpki.requests
  TO agentpki_server;
-- Of all hierarchies, so it is looked up by live_key_holders() alone.
GRANT INSERT ON agentpki.key_holders TO agentpki_server;

-- ---- partitions -------------------------------------------------------------------------------

-- For how many days after its expiry a certificate stays in the ledger. The owner's to change.
CREATE TABLE agentpki.retention (
  only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  days     integer NOT NULL CHECK (days BETWEEN 1 AND 36500)
);
INSERT INTO agentpki.retention (days) VALUES (90);

-- Attached when it is complete: CREATE ... PARTITION OF would lock out all readers and writers.
CREATE PROCEDURE agentpki.add_partition(p_parent text, p_suffix text, p_from date, p_to date)
LANGUAGE plpgsql AS $$
DECLARE
  partition text := p_parent || '_' || p_suffix;
BEGIN
  IF to_regclass(format('agentpki.%I', partition)) IS NOT NULL THEN RETURN; END IF;
  EXECUTE format('CREATE TABLE agentpki.%I (LIKE agentpki.%I INCLUDING ALL EXCLUDING IDENTITY)', partition, p_parent);
  EXECUTE format('ALTER TABLE agentpki.%I ATTACH PARTITION agentpki.%I FOR VALUES FROM (%L) TO (%L)',
                 p_parent, partition, p_from, p_to);
END $$;

-- Makes the partitions of the days to come, and drops what is past its retention. Whoever calls it,
-- it does no more than that; and of several that call it at once, one works. Months begin in UTC,
-- wherever the caller's session is.
CREATE FUNCTION agentpki.maintain_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  today date := (now() AT TIME ZONE 'UTC')::date;
  day date;
  kept integer := (SELECT days FROM agentpki.retention);
  old record;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('agentpki.maintain_partitions', 0));

  -- A leaf lives for at most 7 days; a server that has been off is not at once out of partitions.
  FOR day IN SELECT today + d FROM generate_series(-1, 10) AS d LOOP
    CALL agentpki.add_partition('issuances', to_char(day, 'YYYYMMDD'), day, day + 1);
    CALL agentpki.add_partition('signatures', to_char(day, 'YYYYMMDD'), day, day + 1);
    CALL agentpki.add_partition('revocations', to_char(day, 'YYYYMMDD'), day, day + 1);
  END LOOP;
  FOR day IN SELECT today + d FROM generate_series(-2, 3) AS d LOOP
    CALL agentpki.add_partition('requests', to_char(day, 'YYYYMMDD'), day, day + 1);
  END LOOP;
  FOR day IN SELECT (date_trunc('month', today) + m * interval '1 month')::date
               FROM generate_series(-1, 1) AS m LOOP
    CALL agentpki.add_partition('audit_events', to_char(day, 'YYYYMM'), day,
                                (day + interval '1 month')::date);
    IF day + interval '1 month' >= today - 1 THEN  -- or it would be dropped below
      CALL agentpki.add_partition('key_holders', to_char(day, 'YYYYMM'), day,
                                  (day + interval '1 month')::date);
    END IF;
  END LOOP;

  -- Audit events are kept. CASE, because nothing else promises what is evaluated first.
  FOR old IN
    SELECT c.relname AS name
      FROM pg_inherits AS i
      JOIN pg_class AS c ON c.oid = i.inhrelid
      JOIN pg_class AS p ON p.oid = i.inhparent
     WHERE p.relnamespace = 'agentpki'::regnamespace
       AND CASE p.relname
             WHEN 'issuances' THEN to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept
             WHEN 'signatures' THEN to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept
             WHEN 'revocations' THEN
               CASE WHEN c.relname ~ '_[0-9]{8}$'  -- and not the one of the authorities
                    THEN to_date(right(c.relname, 8), 'YYYYMMDD') < today - kept ELSE false END
             WHEN 'requests' THEN to_date(right(c.relname, 8), 'YYYYMMDD') < today - 2
             WHEN 'key_holders' THEN
               to_date(right(c.relname, 6), 'YYYYMM') + interval '1 month' < today - 1
             ELSE false
           END
  LOOP
    EXECUTE format('DROP TABLE agentpki.%I', old.name);
  END LOOP;
  DELETE FROM agentpki.crl_shard_days WHERE expiry_day < today - kept;
END $$;
-- Called at the end of 0004_revocation.sql, which has the tables that are missing here.

-- ---- the ledger's two writes ------------------------------------------------------------------

-- Of what follows, each statement bounds the days that it looks at by parameters, also where a join
-- says the same: only then are the other partitions not even opened. (PostgreSQL 15 prunes by
-- `day BETWEEN $1 AND $2` when a statement starts, but not by `day = ANY ($1)`.)

-- Which agents have a live certificate for these keys, in whatever hierarchy: one key, one agent.
CREATE FUNCTION agentpki.live_key_holders(p_key_fingerprints bytea[], p_now timestamptz)
RETURNS TABLE (key_fingerprint bytea, agent bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  today date := (p_now AT TIME ZONE 'UTC')::date;
BEGIN
  RETURN QUERY
  SELECT k.key_fingerprint, k.agent
    FROM agentpki.key_holders AS k
   WHERE k.key_fingerprint = ANY (p_key_fingerprints)
     AND k.expiry_day >= today AND k.not_after >= p_now;
END $$;

-- Which of these keys were revoked for compromise, in whatever hierarchy.
CREATE FUNCTION agentpki.blocked_among(p_key_fingerprints bytea[]) RETURNS SETOF bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT b.key_fingerprint FROM agentpki.blocked_keys AS b
   WHERE b.key_fingerprint = ANY (p_key_fingerprints);
END $$;

-- Agents that share a lock wait for each other now and then, which does no harm.
CREATE FUNCTION agentpki.agent_lock(p_agent bigint) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT (p_agent % 2147483647)::integer $$;

-- Makes the intents of one hierarchy durable, each with an outcome of its own: 'recorded', 'replay'
-- (the same agent's same request was recorded before, with the serial that is given), or the rule that
-- refuses. The arrays are parallel; p_locks are the keys and requests as sorted 64-bit numbers. Within
-- one call no two rows share a key, a token or a request.
--
-- It and revoke() take turns by advisory locks, so that what an intent is judged by still holds when
-- it commits, and what is revoked whole has nothing left out. Intents share these locks among
-- themselves; a revocation has alone what it is about:
--   (1, 0)          all that there is           revoking many keys for compromise
--   (1, hierarchy)  one hierarchy               revoking all that an authority has issued, destroying
--   (2, agent)      one agent, by its number    revoking one or all of its certificates
--   LockOf(key)     one key, not shared         revoking a key for compromise
-- An advisory lock is an entry in shared memory, less than a microsecond each; a row lock on the
-- agent (FOR SHARE) would write a page of agents for each intent. Everybody takes them in this order
-- and sorted, so that nobody waits in a circle.
CREATE FUNCTION agentpki.record_intents(
  p_hierarchy integer, p_now timestamptz, p_locks bigint[],
  p_expiry_day date[], p_serial bytea[], p_authority bigint[], p_shard bigint[], p_agent bigint[],
  p_subject text[],
  p_profile text[], p_key_fingerprint bytea[], p_not_before timestamptz[],
  p_not_after timestamptz[], p_tbs bytea[],
  p_token bytea[], p_presented_day date[], p_presented bytea[],
  p_request_day date[], p_request_id uuid[],
  p_at timestamptz[], p_actor text[], p_action text[], p_rule text[], p_from_address text[],
  p_correlation_id text[], p_request text[])
RETURNS TABLE (row_number bigint, outcome text, serial bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  first_request date; last_request date; first_presented date; last_presented date;
  active bigint;
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  SELECT min(r), max(r), min(p), max(p)
    INTO first_request, last_request, first_presented, last_presented
    FROM unnest(p_request_day, p_presented_day) AS d(r, p);

  PERFORM pg_advisory_xact_lock_shared(1, l) FROM unnest(ARRAY[0, p_hierarchy]) AS l;
  PERFORM pg_advisory_xact_lock_shared(2, l)
    FROM (SELECT DISTINCT agentpki.agent_lock(a) AS l FROM unnest(p_agent) AS a ORDER BY l) AS agents;
  -- Two requests for one key, or one request twice, wait for each other here; sorted, so that
  -- batches cannot wait for each other in a circle. What follows sees what the first committed.
  PERFORM pg_advisory_xact_lock(l) FROM unnest(p_locks) AS l;
  PERFORM FROM agentpki.join_tokens AS t
    WHERE t.secret_hash = ANY (p_token) ORDER BY t.secret_hash FOR UPDATE;
  -- Another cannot become active before this commits: that takes the hierarchy's lock for itself.
  active := (SELECT s.authority FROM agentpki.activations AS s
              WHERE s.hierarchy = p_hierarchy ORDER BY s.sequence DESC LIMIT 1);
  -- None is when it is revoked or the hierarchy destroyed, which take that lock as well.
  IF EXISTS (SELECT FROM agentpki.authority_taints AS t WHERE t.authority = active AND t.is_revoked)
     OR EXISTS (SELECT FROM agentpki.hierarchies AS h
                 WHERE h.id = p_hierarchy AND h.destroyed_at IS NOT NULL) THEN
    active := NULL;
  END IF;

  RETURN QUERY
  WITH asked AS (
    SELECT * FROM unnest(p_expiry_day, p_serial, p_authority, p_shard, p_agent, p_subject, p_profile,
                         p_key_fingerprint, p_not_before, p_not_after, p_tbs, p_token,
                         p_presented, p_request_day, p_request_id, p_at, p_actor, p_action, p_rule,
                         p_from_address, p_correlation_id, p_request)
      WITH ORDINALITY
      AS a(expiry_day, serial, authority, shard, agent, subject, profile, key_fingerprint,
           not_before, not_after, tbs, token, presented, request_day, request_id, at, actor, action,
           rule, from_address, correlation_id, request, row_number)
  ),
  holders AS MATERIALIZED (
    SELECT * FROM agentpki.live_key_holders(p_key_fingerprint, p_now)
  ),
  blocked AS MATERIALIZED (
    SELECT * FROM agentpki.blocked_among(p_key_fingerprint) AS key_fingerprint
  ),
  revoked AS MATERIALIZED (
    SELECT r.serial FROM agentpki.revocations AS r
     WHERE r.expiry_day BETWEEN first_presented AND last_presented
       AND r.serial = ANY (p_presented)
  ),
  presented AS MATERIALIZED (
    SELECT s.serial, s.agent FROM agentpki.signatures AS s
     WHERE s.expiry_day BETWEEN first_presented AND last_presented
       AND s.serial = ANY (p_presented)
  ),
  answered AS MATERIALIZED (
    SELECT r.request_id, r.agent, r.key_fingerprint, r.serial FROM agentpki.requests AS r
     WHERE r.request_day BETWEEN first_request AND last_request
       AND r.request_id = ANY (p_request_id)
  ),
  judged AS MATERIALIZED (
    SELECT a.*, coalesce(r.serial, a.serial) AS standing,
           CASE
             WHEN r.serial IS NOT NULL THEN
               CASE WHEN r.key_fingerprint = a.key_fingerprint THEN 'replay'
                    ELSE 'request-id.reused' END
             WHEN a.authority IS DISTINCT FROM active THEN 'authority.superseded'
             WHEN g.number IS NULL OR g.spiffe_id <> a.subject THEN 'agent.unknown'
             WHEN g.disabled THEN 'agent.disabled'
             WHEN a.token IS NOT NULL AND t.secret_hash IS NULL THEN 'join-token.unknown'
             WHEN t.agent <> a.agent THEN 'join-token.agent'
             WHEN t.used_at IS NOT NULL THEN 'join-token.used'
             WHEN t.revoked_at IS NOT NULL THEN 'join-token.revoked'
             WHEN t.expires_at <= p_now THEN 'join-token.expired'
             WHEN a.presented IS NOT NULL
                  AND NOT EXISTS (SELECT FROM presented AS p
                                   WHERE p.serial = a.presented AND p.agent = a.agent)
               THEN 'renewal.unknown-certificate'
             WHEN EXISTS (SELECT FROM revoked AS v WHERE v.serial = a.presented)
               THEN 'renewal.revoked'
             WHEN EXISTS (SELECT FROM blocked AS b WHERE b.key_fingerprint = a.key_fingerprint)
               THEN 'key.compromised'
             WHEN EXISTS (SELECT FROM holders AS k
                           WHERE k.key_fingerprint = a.key_fingerprint AND k.agent <> a.agent)
               THEN 'key.in-use'
             WHEN a.presented IS NOT NULL
                  AND EXISTS (SELECT FROM holders AS k WHERE k.key_fingerprint = a.key_fingerprint)
               THEN 'key.not-new'
             ELSE 'recorded'
           END AS outcome
      FROM asked AS a
      LEFT JOIN answered AS r ON r.request_id = a.request_id AND r.agent = a.agent
      LEFT JOIN agentpki.agents AS g ON g.number = a.agent
      LEFT JOIN agentpki.join_tokens AS t ON t.secret_hash = a.token
  ),
  recorded AS (
    INSERT INTO agentpki.issuances (expiry_day, serial, hierarchy, authority, shard, agent, subject,
                                    profile, key_fingerprint, not_before, not_after, tbs, recorded_at)
    SELECT j.expiry_day, j.serial, p_hierarchy, j.authority, j.shard, j.agent, j.subject, j.profile,
           j.key_fingerprint, j.not_before, j.not_after, j.tbs, p_now
      FROM judged AS j WHERE j.outcome = 'recorded'
  ),
  sharded AS (  -- a row or two, and nearly always there already
    INSERT INTO agentpki.crl_shard_days (authority, shard, expiry_day)
    SELECT DISTINCT j.authority, j.shard, j.expiry_day
      FROM judged AS j WHERE j.outcome = 'recorded' ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING
  ),
  held AS (
    INSERT INTO agentpki.key_holders (expiry_day, key_fingerprint, agent, not_after)
    SELECT j.expiry_day, j.key_fingerprint, j.agent, j.not_after
      FROM judged AS j WHERE j.outcome = 'recorded'
  ),
  remembered AS (
    INSERT INTO agentpki.requests (request_day, request_id, agent, hierarchy, key_fingerprint, serial)
    SELECT j.request_day, j.request_id, j.agent, p_hierarchy, j.key_fingerprint, j.serial
      FROM judged AS j WHERE j.outcome = 'recorded'
  ),
  used AS (
    UPDATE agentpki.join_tokens AS t SET used_by_request = j.request_id, used_at = p_now
      FROM judged AS j
     WHERE j.outcome = 'recorded' AND t.secret_hash = j.token AND t.secret_hash = ANY (p_token)
  ),
  told AS (
    INSERT INTO agentpki.audit_events (at, actor, action, decision, rule, reason, hierarchy,
                                       subject, serial, from_address, correlation_id, request_id,
                                       request)
    SELECT j.at, j.actor, j.action, 'allowed',
           CASE j.outcome WHEN 'replay' THEN 'replay' ELSE j.rule END,
           '', p_hierarchy, j.subject, encode(j.standing, 'hex'), j.from_address,
           j.correlation_id, j.request_id::text, j.request::jsonb
      FROM judged AS j WHERE j.outcome IN ('recorded', 'replay')
  )
  SELECT j.row_number, j.outcome, j.standing FROM judged AS j;
END $$;

-- Makes signatures durable; yields for each the one that stands, which is the first. A serial that
-- is not recorded gets none and is not in the answer.
CREATE FUNCTION agentpki.record_signatures(
  p_hierarchy integer, p_now timestamptz, p_expiry_day date[], p_serial bytea[],
  p_signature bytea[])
RETURNS TABLE (serial bytea, signature bytea)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  first_day date; last_day date;
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  SELECT min(d), max(d) INTO first_day, last_day FROM unnest(p_expiry_day) AS d;
  INSERT INTO agentpki.signatures (expiry_day, serial, hierarchy, agent, signature, signed_at)
  SELECT i.expiry_day, i.serial, p_hierarchy, i.agent, a.signature, p_now
    FROM unnest(p_serial, p_signature) AS a(serial, signature)
    JOIN agentpki.issuances AS i ON i.serial = a.serial
   WHERE i.expiry_day BETWEEN first_day AND last_day AND i.serial = ANY (p_serial)
  ON CONFLICT DO NOTHING;
  -- A statement of its own, to see what a racing one committed.
  RETURN QUERY
  SELECT s.serial, s.signature FROM agentpki.signatures AS s
   WHERE s.expiry_day BETWEEN first_day AND last_day AND s.serial = ANY (p_serial);
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agentpki FROM PUBLIC;
REVOKE ALL ON ALL PROCEDURES IN SCHEMA agentpki FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agentpki.maintain_partitions, agentpki.live_key_holders,
  agentpki.blocked_among, agentpki.agent_lock,
  agentpki.record_intents, agentpki.record_signatures TO agentpki_server;
