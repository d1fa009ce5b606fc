-- What is revoked, which keys are refused for ever, and the CRLs. The server's role inserts and reads
-- here; it can neither update nor delete.
--
-- Whoever revokes, publishes a CRL or opens a shard notifies the channel agentpki_revocations when it
-- commits; replicas that miss it look for themselves after a while.

CREATE TABLE agentpki.revocations (
  expiry_day      date NOT NULL,  -- as in issuances, to be dropped with it; infinity: an authority's
  serial          bytea NOT NULL,
  hierarchy       integer NOT NULL,
  authority       bigint NOT NULL,  -- the issuer
  shard           integer NOT NULL,
  not_after       timestamptz NOT NULL,
  revoked_at      timestamptz NOT NULL,
  reason          smallint NOT NULL CHECK (reason IN (0, 1, 2, 3, 4, 5, 9, 10)),  -- CRLReason
  invalidity_date timestamptz,
  revoked_by      text NOT NULL,  -- the correlation id of the audit event
  transaction     xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (serial, expiry_day)
) PARTITION BY RANGE (expiry_day);
CREATE INDEX revocations_by_transaction ON agentpki.revocations (transaction);

-- CAs and OCSP responders live for years, for which there are no partitions by the day.
CREATE TABLE agentpki.revocations_of_authorities PARTITION OF agentpki.revocations
  FOR VALUES FROM ('infinity') TO (MAXVALUE);

-- Refused for ever, so nothing removes them: not partitioned.
CREATE TABLE agentpki.blocked_keys (
  key_fingerprint bytea PRIMARY KEY,
  hierarchy       integer NOT NULL,
  serial          bytea NOT NULL,  -- of a certificate that it was revoked with
  blocked_at      timestamptz NOT NULL
);

ALTER TABLE agentpki.revocations ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.blocked_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.revocations
  USING (hierarchy = agentpki.current_hierarchy());
CREATE POLICY within_hierarchy ON agentpki.blocked_keys
  USING (hierarchy = agentpki.current_hierarchy());
GRANT SELECT, INSERT ON agentpki.revocations TO agentpki_server;
-- Looked up over all hierarchies, by blocked_among() alone.
GRANT INSERT ON agentpki.blocked_keys TO agentpki_server;

-- ---- revoking ---------------------------------------------------------------------------------

-- What an order is about, in the hierarchy that the transaction has named: one serial, or what is
-- live of one agent or of one authority. Exactly one of p_serial, p_agent, p_authority is not NULL.
--
-- Planned anew at each call, for what it is called with: the three have nothing in common but the
-- columns. Whether a certificate is revoked is asked by a scalar subquery, so that it stays an index
-- lookup for each certificate however many revocations there are.
CREATE FUNCTION agentpki.named_certificates(
  p_now timestamptz, p_serial_day date, p_serial bytea, p_agent bigint, p_authority bigint)
RETURNS TABLE (expiry_day date, serial bytea, authority bigint, shard integer, subject text,
               key_fingerprint bytea, not_after timestamptz, is_root boolean, is_revoked boolean)
LANGUAGE plpgsql STABLE AS $$
DECLARE
  today date := (p_now AT TIME ZONE 'UTC')::date;
BEGIN
  RETURN QUERY EXECUTE format($query$
    SELECT i.expiry_day, i.serial, i.authority, i.shard, i.subject, i.key_fingerprint, i.not_after,
           false, (SELECT true FROM agentpki.revocations AS r
                    WHERE r.expiry_day = i.expiry_day AND r.serial = i.serial LIMIT 1) IS NOT NULL
      FROM agentpki.issuances AS i WHERE %s $query$,
    CASE WHEN p_serial IS NOT NULL THEN 'i.expiry_day = $2 AND i.serial = $3'
         WHEN p_agent IS NOT NULL THEN 'i.expiry_day >= $6 AND i.not_after >= $1 AND i.agent = $4'
         ELSE 'i.expiry_day >= $6 AND i.not_after >= $1 AND i.authority = $5' END)
    USING p_now, p_serial_day, p_serial, p_agent, p_authority, today;
  IF FOUND OR p_serial IS NULL THEN RETURN; END IF;

  RETURN QUERY
  SELECT 'infinity'::date, i.serial, coalesce(a.issuer, a.id), 0, 'spiffe://' || h.trust_domain,
         i.key_fingerprint, i.not_after, a.issuer IS NULL,
         EXISTS (SELECT FROM agentpki.revocations AS r
                  WHERE r.expiry_day = 'infinity' AND r.serial = i.serial)
    FROM agentpki.authority_issuances AS i
    JOIN agentpki.authorities AS a ON a.id = i.authority
    JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy
   WHERE i.serial = p_serial AND a.hierarchy = agentpki.current_hierarchy();
END $$;

-- The number of LockOf() in postgres_ledger.cc: the first eight octets, the least significant first.
CREATE FUNCTION agentpki.key_lock(p_key_fingerprint bytea) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT bit_or(get_byte(p_key_fingerprint, o)::bigint << 8 * o) FROM generate_series(0, 7) AS o
$$;

-- Waits for the intents that are under way and keeps those that come, of what is to be revoked: the
-- levels and their order are said at record_intents(). What an authority issued is too much to be
-- locked one by one, so its whole hierarchy waits; and so does everybody for more keys than an agent
-- ordinarily has, since each key's lock takes room in shared memory.
CREATE FUNCTION agentpki.lock_for_revocation(
  p_hierarchy integer, p_now timestamptz, p_serial_day date, p_serial bytea, p_agent bigint,
  p_authority bigint, p_blocks_keys boolean)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  is_many boolean := p_authority IS NOT NULL;
BEGIN
  IF p_blocks_keys AND p_agent IS NOT NULL THEN
    is_many := (SELECT count(*) > 200
                  FROM agentpki.named_certificates(p_now, NULL, NULL, p_agent, NULL));
  END IF;
  IF p_blocks_keys AND is_many THEN
    PERFORM pg_advisory_xact_lock(1, 0);
  ELSE
    PERFORM pg_advisory_xact_lock_shared(1, 0);
  END IF;
  IF p_authority IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(1, p_hierarchy);
  ELSE
    PERFORM pg_advisory_xact_lock_shared(1, p_hierarchy);
    -- Agent 0 stands for the authorities.
    PERFORM pg_advisory_xact_lock(2, agentpki.agent_lock(coalesce(p_agent,
      (SELECT i.agent FROM agentpki.issuances AS i
        WHERE i.expiry_day = p_serial_day AND i.serial = p_serial), 0)));
  END IF;
  IF p_blocks_keys AND NOT is_many THEN
    PERFORM pg_advisory_xact_lock(l)
      FROM (SELECT DISTINCT agentpki.key_lock(n.key_fingerprint) AS l
              FROM agentpki.named_certificates(p_now, p_serial_day, p_serial, p_agent, NULL) AS n
             ORDER BY l) AS keys;
  END IF;
END $$;

-- Carries an order out, or (p_only_look) says what it would do. One row or more, each with the
-- totals: `refusal` names the rule that refuses a single serial, or is 'certificate.unknown'; serial,
-- subject and not_after are the first p_listed_max of what is revoked now, by serial, or NULL.
CREATE FUNCTION agentpki.revoke(
  p_hierarchy integer, p_now timestamptz, p_serial_day date, p_serial bytea, p_spiffe_id text,
  p_authority bigint, p_reason smallint, p_invalidity_date timestamptz, p_revoked_by text,
  p_only_look boolean, p_listed_max integer)
RETURNS TABLE (refusal text, revoked_count bigint, already_revoked_count bigint, serial bytea,
               subject text, not_after timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  agent bigint;
  blocks_keys boolean := p_reason = 1;  -- keyCompromise
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  IF p_spiffe_id IS NOT NULL THEN
    agent := coalesce((SELECT g.number FROM agentpki.agents AS g WHERE g.spiffe_id = p_spiffe_id), 0);
  END IF;
  IF NOT p_only_look THEN
    PERFORM agentpki.lock_for_revocation(p_hierarchy, p_now, p_serial_day, p_serial, agent,
                                         p_authority, blocks_keys);
    PERFORM pg_notify('agentpki_revocations', '');
  END IF;

  RETURN QUERY
  WITH judged AS MATERIALIZED (
    SELECT n.*,
           CASE WHEN n.is_root THEN 'certificate.root'
                WHEN n.is_revoked THEN 'revoked-before'
                WHEN n.not_after < p_now THEN 'certificate.expired'
                ELSE 'revoked' END AS outcome
      FROM agentpki.named_certificates(p_now, p_serial_day, p_serial, agent, p_authority) AS n
  ),
  revoked AS (
    INSERT INTO agentpki.revocations (expiry_day, serial, hierarchy, authority, shard, not_after,
                                      revoked_at, reason, invalidity_date, revoked_by)
    SELECT j.expiry_day, j.serial, p_hierarchy, j.authority, j.shard, j.not_after, p_now, p_reason,
           p_invalidity_date, p_revoked_by
      FROM judged AS j WHERE j.outcome = 'revoked' AND NOT p_only_look
  ),
  blocked AS (
    INSERT INTO agentpki.blocked_keys (key_fingerprint, hierarchy, serial, blocked_at)
    SELECT j.key_fingerprint, p_hierarchy, j.serial, p_now
      FROM judged AS j
     WHERE j.outcome IN ('revoked', 'revoked-before') AND blocks_keys AND NOT p_only_look
    ON CONFLICT DO NOTHING
  ),
  listed AS (
    SELECT j.serial, j.subject, j.not_after FROM judged AS j WHERE j.outcome = 'revoked'
     ORDER BY j.serial LIMIT p_listed_max
  ),
  total AS (
    SELECT CASE WHEN p_serial IS NULL THEN NULL
                WHEN count(*) = 0 THEN 'certificate.unknown'
                ELSE min(j.outcome) FILTER (WHERE j.outcome LIKE 'certificate.%') END AS refusal,
           count(*) FILTER (WHERE j.outcome = 'revoked') AS revoked_count,
           count(*) FILTER (WHERE j.outcome = 'revoked-before') AS already_revoked_count
      FROM judged AS j
  )
  SELECT t.refusal, t.revoked_count, t.already_revoked_count, l.serial, l.subject, l.not_after
    FROM total AS t LEFT JOIN listed AS l ON true ORDER BY l.serial;
END $$;

-- An issuing authority with all that it has issued; says how many of its agents' certificates were
-- revoked now. Its own certificate may be revoked, or have ended, before.
CREATE FUNCTION agentpki.revoke_authority(
  p_hierarchy integer, p_now timestamptz, p_authority bigint, p_reason smallint, p_revoked_by text)
RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  revoked bigint;
BEGIN
  SELECT r.revoked_count INTO revoked
    FROM agentpki.revoke(p_hierarchy, p_now, NULL, NULL, NULL, p_authority, p_reason, NULL,
                         p_revoked_by, false, 0) AS r;
  PERFORM agentpki.revoke(p_hierarchy, p_now, NULL, i.serial, NULL, NULL, p_reason, NULL,
                          p_revoked_by, false, 0)
    FROM agentpki.authority_issuances AS i WHERE i.authority = p_authority;
  RETURN revoked;
END $$;

-- ---- reading ----------------------------------------------------------------------------------

-- What became visible after the snapshot p_after, or all (NULL), of certificates that end at
-- p_live_after or later; of all hierarchies, which every replica answers for. The first row is the
-- snapshot that this reads by, to go on from; then the revocations, packed, because a million rows
-- of text take too long to parse: serial (20 octets), hierarchy (4), authority (8), shard (4),
-- not_after (8), revoked_at (8), reason (2), invalidity_date (8 or none); all as PostgreSQL sends
-- them in binary.
--
-- Transactions become visible in another order than they began in. What is visible now has a number
-- below this snapshot's xmax, and what was visible by p_after is not asked for again; so each
-- revocation comes once, whatever the order of the commits.
CREATE FUNCTION agentpki.read_revocations(p_after pg_snapshot, p_live_after timestamptz)
RETURNS TABLE (snapshot text, packed bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  live_day date := (p_live_after AT TIME ZONE 'UTC')::date;
  from_transaction xid8 := coalesce(pg_snapshot_xmin(p_after), '0'::xid8);
  -- Of a database that was restored from a dump, what came with it may have numbers beyond this.
  to_transaction xid8 := CASE WHEN p_after IS NULL THEN '18446744073709551615'::xid8
                              ELSE pg_snapshot_xmax(pg_current_snapshot()) END;
BEGIN
  RETURN QUERY SELECT pg_current_snapshot()::text, NULL::bytea;
  RETURN QUERY
  SELECT NULL::text,
         r.serial || int4send(r.hierarchy) || int8send(r.authority) || int4send(r.shard)
         || timestamptz_send(r.not_after) || timestamptz_send(r.revoked_at) || int2send(r.reason)
         || coalesce(timestamptz_send(r.invalidity_date), '')
    FROM agentpki.revocations AS r
   WHERE r.transaction >= from_transaction AND r.transaction < to_transaction
     AND (p_after IS NULL OR NOT pg_visible_in_snapshot(r.transaction, p_after))
     AND r.expiry_day >= live_day AND r.not_after >= p_live_after;
END $$;

-- A row for each of these serials that its authority has signed (revoked_at is NULL) or that is
-- revoked, signed or not. Serials come from strangers, with any day in them: the range of days keeps
-- the partitions closed that no serial is about, and the join looks into no other than its own.
CREATE FUNCTION agentpki.find_statuses(
  p_hierarchy integer, p_authority bigint[], p_day date[], p_serial bytea[])
RETURNS TABLE (row_number bigint, shard integer, not_after timestamptz, revoked_at timestamptz,
               reason smallint, invalidity_date timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  first_day date; last_day date;
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  SELECT min(d), max(d) INTO first_day, last_day FROM unnest(p_day) AS d;
  RETURN QUERY
  WITH asked AS (
    SELECT * FROM unnest(p_authority, p_day, p_serial) WITH ORDINALITY
      AS a(authority, day, serial, row_number)
  ),
  signed AS MATERIALIZED (
    SELECT s.serial FROM agentpki.signatures AS s
     WHERE s.expiry_day BETWEEN first_day AND last_day AND s.serial = ANY (p_serial)
  ),
  revoked AS MATERIALIZED (
    SELECT r.* FROM agentpki.revocations AS r
     WHERE r.expiry_day BETWEEN first_day AND last_day AND r.serial = ANY (p_serial)
    UNION ALL
    SELECT r.* FROM agentpki.revocations AS r
     WHERE r.expiry_day = 'infinity' AND r.serial = ANY (p_serial)
  ),
  recorded AS MATERIALIZED (
    SELECT i.serial, i.authority, i.shard, i.not_after,
           EXISTS (SELECT FROM signed AS s WHERE s.serial = i.serial) AS is_signed
      FROM agentpki.issuances AS i
     WHERE i.expiry_day BETWEEN first_day AND last_day AND i.serial = ANY (p_serial)
    UNION ALL
    SELECT i.serial, coalesce(a.issuer, a.id), 0, i.not_after,
           EXISTS (SELECT FROM agentpki.authority_signatures AS s WHERE s.authority = a.id)
      FROM agentpki.authority_issuances AS i JOIN agentpki.authorities AS a ON a.id = i.authority
     WHERE i.serial = ANY (p_serial) AND a.hierarchy = p_hierarchy
  )
  SELECT a.row_number, i.shard, i.not_after, r.revoked_at, r.reason, r.invalidity_date
    FROM asked AS a
    JOIN recorded AS i ON i.serial = a.serial AND i.authority = a.authority
    LEFT JOIN revoked AS r ON r.serial = a.serial
   WHERE i.is_signed OR r.serial IS NOT NULL;
END $$;

-- ---- CRLs -------------------------------------------------------------------------------------

-- Each authority has shard 0; a row for each that was opened after it.
CREATE TABLE agentpki.crl_shards (
  authority bigint NOT NULL REFERENCES agentpki.authorities,
  shard     integer NOT NULL CHECK (shard > 0),
  opened_at timestamptz NOT NULL,
  PRIMARY KEY (authority, shard)
);

-- On which days certificates of a shard end: with it the last is known without a search among all of
-- them. record_intents() inserts what is missing.
CREATE TABLE agentpki.crl_shard_days (
  authority  bigint NOT NULL,
  shard      integer NOT NULL,
  expiry_day date NOT NULL,
  PRIMARY KEY (authority, shard, expiry_day)
);

CREATE TABLE agentpki.crls (
  authority    bigint NOT NULL,
  shard        integer NOT NULL CHECK (shard >= 0),
  number       bigint NOT NULL CHECK (number > 0),
  hierarchy    integer NOT NULL,
  base_number  bigint NOT NULL CHECK (base_number >= 0 AND base_number < number),  -- 0: complete
  this_update  timestamptz NOT NULL,
  next_update  timestamptz NOT NULL,
  der          bytea NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (authority, shard, number),
  FOREIGN KEY (authority, hierarchy) REFERENCES agentpki.authorities (id, hierarchy)
);
ALTER TABLE agentpki.crls ALTER COLUMN der SET STORAGE EXTERNAL;  -- serials do not compress

ALTER TABLE agentpki.crls ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.crls USING (hierarchy = agentpki.current_hierarchy());
GRANT SELECT, INSERT ON agentpki.crl_shards, agentpki.crls TO agentpki_server;
GRANT INSERT ON agentpki.crl_shard_days TO agentpki_server;

-- How many certificates of each shard are live is estimated from about 2,000 pages (some ten thousand
-- certificates) of the partitions that are live; below that size, it is counted. So issuing pays
-- nothing for it: an index by shard would cost each certificate, and a counter would make writers
-- wait for each other. A shard with most of the certificates is counted to within some percent.
CREATE FUNCTION agentpki.live_certificates(p_now timestamptz)
RETURNS TABLE (authority bigint, shard integer, certificate_count bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  today date := (p_now AT TIME ZONE 'UTC')::date;
  percentage double precision;
BEGIN
  SELECT least(100, 100 * 2000 / greatest(1, sum(pg_relation_size(c.oid) / 8192.0)))
    INTO percentage
    FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
   WHERE CASE WHEN h.inhparent = 'agentpki.issuances'::regclass  -- before its name is taken for a day
              THEN to_date(right(c.relname, 8), 'YYYYMMDD') >= today ELSE false END;
  RETURN QUERY
  SELECT i.authority, i.shard, (count(*) * 100 / percentage)::bigint
    FROM agentpki.issuances AS i TABLESAMPLE SYSTEM (percentage)
   WHERE i.expiry_day >= today AND i.not_after >= p_now
   GROUP BY i.authority, i.shard;
END $$;

-- The newest shard of each root of ours and issuing authority, and those before it of which a
-- certificate ends at p_kept_after or later.
CREATE FUNCTION agentpki.load_crl_shards(p_now timestamptz, p_kept_after timestamptz)
RETURNS TABLE (authority bigint, shard integer, opened_at timestamptz, last_not_after timestamptz,
               certificate_count bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
  WITH opened AS (
    SELECT a.id AS authority, 0 AS shard, NULL::timestamptz AS opened_at
      FROM agentpki.authorities AS a JOIN agentpki.hierarchies AS h ON h.id = a.hierarchy
     WHERE a.kind IN ('root', 'issuing') AND a.key_label IS NOT NULL
       AND (h.settled_at IS NULL OR h.settled_at > p_now)
    UNION ALL SELECT s.authority, s.shard, s.opened_at FROM agentpki.crl_shards AS s
  ),
  -- Of agents' certificates in whole days; of issuing authorities' own, the time itself.
  issued AS (
    SELECT d.authority, d.shard,
           max(d.expiry_day + 1)::timestamp AT TIME ZONE 'UTC'
             - interval '1 microsecond' AS last_not_after
      FROM agentpki.crl_shard_days AS d GROUP BY d.authority, d.shard
    UNION ALL
    SELECT a.issuer, 0, max(i.not_after)
      FROM agentpki.authorities AS a JOIN agentpki.authority_issuances AS i ON i.authority = a.id
     WHERE a.kind IN ('issuing', 'link', 'recorder') GROUP BY a.issuer
  ),
  live AS (
    SELECT * FROM agentpki.live_certificates(p_now)
    UNION ALL
    SELECT a.issuer, 0, count(*)
      FROM agentpki.authorities AS a JOIN agentpki.authority_issuances AS i ON i.authority = a.id
     WHERE a.kind IN ('issuing', 'link', 'recorder') AND i.not_after >= p_now GROUP BY a.issuer
  )
  SELECT o.authority, o.shard, o.opened_at, i.last_not_after, coalesce(l.certificate_count, 0)
    FROM opened AS o
    LEFT JOIN issued AS i USING (authority, shard)
    LEFT JOIN live AS l USING (authority, shard)
   WHERE i.last_not_after >= p_kept_after
      OR NOT EXISTS (SELECT FROM opened AS n WHERE n.authority = o.authority AND n.shard > o.shard)
   ORDER BY o.authority, o.shard;
END $$;

-- Of several conductors that open a shard or publish a CRL at once, one does.
CREATE FUNCTION agentpki.lock_crls(p_authority bigint) RETURNS void
LANGUAGE sql AS $$ SELECT pg_advisory_xact_lock(3, agentpki.agent_lock(p_authority)) $$;

-- False when p_newest is not the newest shard.
CREATE FUNCTION agentpki.open_shard(p_authority bigint, p_newest integer, p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM agentpki.lock_crls(p_authority);
  IF (SELECT coalesce(max(s.shard), 0) FROM agentpki.crl_shards AS s
       WHERE s.authority = p_authority) <> p_newest THEN
    RETURN false;
  END IF;
  INSERT INTO agentpki.crl_shards VALUES (p_authority, p_newest + 1, p_now);
  PERFORM pg_notify('agentpki_revocations', '');
  RETURN true;
END $$;

CREATE FUNCTION agentpki.last_crl_number(p_authority bigint, p_shard integer) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (SELECT coalesce(max(c.number), 0) FROM agentpki.crls AS c
           WHERE c.authority = p_authority AND c.shard = p_shard);
END $$;

-- Of a shard, the complete (and the delta) CRLs that had a successor ten minutes ago: with megabytes
-- every few seconds, they cannot wait for the hourly maintenance. The newest of either is never
-- dropped, and so no number is given twice. Whoever calls it, it does no more than that.
CREATE FUNCTION agentpki.drop_superseded_crls(p_authority bigint, p_shard integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM agentpki.crls AS c
   WHERE c.authority = p_authority AND c.shard = p_shard
     AND EXISTS (SELECT FROM agentpki.crls AS n
                  WHERE n.authority = p_authority AND n.shard = p_shard AND n.number > c.number
                    AND (n.base_number = 0) = (c.base_number = 0)
                    AND n.published_at < now() - interval '10 minutes');
END $$;

-- False when this number or a higher one is taken.
CREATE FUNCTION agentpki.publish_crl(
  p_hierarchy integer, p_authority bigint, p_shard integer, p_number bigint, p_base_number bigint,
  p_this_update timestamptz, p_next_update timestamptz, p_der bytea)
RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  PERFORM agentpki.lock_crls(p_authority);
  IF agentpki.last_crl_number(p_authority, p_shard) >= p_number THEN RETURN false; END IF;
  INSERT INTO agentpki.crls (authority, shard, number, hierarchy, base_number, this_update,
                             next_update, der)
  VALUES (p_authority, p_shard, p_number, p_hierarchy, p_base_number, p_this_update, p_next_update,
          p_der);
  PERFORM agentpki.drop_superseded_crls(p_authority, p_shard);
  PERFORM pg_notify('agentpki_revocations', '');
  RETURN true;
END $$;

-- The newest complete and delta CRL of each shard, but what is known already. Each CRL's octets are
-- read only when it is in the answer.
CREATE FUNCTION agentpki.load_newer_crls(
  p_authority bigint[], p_shard bigint[], p_number bigint[], p_base_number bigint[])
RETURNS SETOF agentpki.crls
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
  SELECT n.*
    FROM (SELECT DISTINCT ON (c.authority, c.shard, c.base_number = 0) c.*
            FROM agentpki.crls AS c JOIN agentpki.hierarchies AS h ON h.id = c.hierarchy
           WHERE h.settled_at IS NULL OR h.settled_at > now()
           ORDER BY c.authority, c.shard, c.base_number = 0, c.number DESC) AS n
   WHERE NOT EXISTS (SELECT FROM unnest(p_authority, p_shard, p_number, p_base_number)
                                   AS k(authority, shard, number, base_number)
                      WHERE k.authority = n.authority AND k.shard = n.shard
                        AND (k.base_number = 0) = (n.base_number = 0) AND k.number >= n.number)
   ORDER BY n.authority, n.shard, n.number;
END $$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA agentpki FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agentpki.named_certificates, agentpki.key_lock,
  agentpki.lock_for_revocation, agentpki.revoke, agentpki.revoke_authority,
  agentpki.read_revocations, agentpki.find_statuses,
  agentpki.load_crl_shards, agentpki.lock_crls, agentpki.open_shard, agentpki.last_crl_number,
  agentpki.drop_superseded_crls, agentpki.publish_crl, agentpki.load_newer_crls TO agentpki_server;

-- Now that all are there that it makes partitions of.
SELECT agentpki.maintain_partitions();
