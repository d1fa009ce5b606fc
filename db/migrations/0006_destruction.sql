-- The end of a hierarchy, two rows, each inserted when it is so: decided, and on record. The server's
-- role inserts and reads here; it can neither update nor delete.

CREATE TABLE agentpki.hierarchy_destructions (
  hierarchy     integer PRIMARY KEY REFERENCES agentpki.hierarchies,
  reason        text NOT NULL CHECK (reason <> ''),
  decided_by    text NOT NULL,
  decided_at    timestamptz NOT NULL,
  revoked_count bigint NOT NULL  -- of its agents' certificates
);
-- CMS SignedData (RFC 5652) of a recorder, which says that its keys are gone.
CREATE TABLE agentpki.destruction_records (
  hierarchy   integer PRIMARY KEY REFERENCES agentpki.hierarchy_destructions,
  record      bytea NOT NULL,
  recorded_at timestamptz NOT NULL
);
GRANT SELECT, INSERT ON agentpki.hierarchy_destructions, agentpki.destruction_records
  TO agentpki_server;

-- False when it was destroyed before. Whoever calls it cannot take it back.
CREATE FUNCTION agentpki.mark_destroyed(p_hierarchy integer, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE agentpki.hierarchies AS h SET destroyed_at = p_now
   WHERE h.id = p_hierarchy AND h.destroyed_at IS NULL AND NOT h.is_system;
  RETURN FOUND;
END $$;

-- Alone in the hierarchy (see record_intents()): what was issued in it before is revoked here, and
-- nothing is after. Returns false when it was destroyed before.
CREATE FUNCTION agentpki.destroy_hierarchy(
  p_hierarchy integer, p_now timestamptz, p_reason text, p_decided_by text, p_revoked_by text)
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
  cessation_of_operation CONSTANT smallint := 5;
  revoked bigint := 0;
  issued record;
BEGIN
  PERFORM set_config('agentpki.hierarchy', p_hierarchy::text, true);
  PERFORM pg_advisory_xact_lock_shared(1, 0);
  PERFORM pg_advisory_xact_lock(1, p_hierarchy);
  IF NOT agentpki.mark_destroyed(p_hierarchy, p_now) THEN RETURN false; END IF;
  FOR issued IN SELECT a.id, a.kind, i.serial
                  FROM agentpki.authorities AS a
                  LEFT JOIN agentpki.authority_issuances AS i ON i.authority = a.id
                 WHERE a.hierarchy = p_hierarchy ORDER BY a.id
  LOOP
    IF issued.kind = 'issuing' THEN
      revoked := revoked + agentpki.revoke_authority(p_hierarchy, p_now, issued.id,
                                                     cessation_of_operation, p_revoked_by);
    ELSIF issued.serial IS NOT NULL THEN  -- its own certificate; of a root, nobody could say so
      PERFORM agentpki.revoke(p_hierarchy, p_now, NULL, issued.serial, NULL, NULL,
                              cessation_of_operation, NULL, p_revoked_by, false, 0);
    END IF;
  END LOOP;
  INSERT INTO agentpki.hierarchy_destructions
  VALUES (p_hierarchy, p_reason, p_decided_by, p_now, revoked);
  PERFORM pg_notify('agentpki_revocations', '');
  RETURN true;
END $$;

-- From the second day after the last of its agents' certificates has ended, nobody asks any more.
CREATE FUNCTION agentpki.settle_hierarchy(p_hierarchy integer, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  UPDATE agentpki.hierarchies AS h
     SET settled_at = greatest(p_now,
           (SELECT max(d.expiry_day + 2)::timestamp AT TIME ZONE 'UTC'
              FROM agentpki.crl_shard_days AS d JOIN agentpki.authorities AS a ON a.id = d.authority
             WHERE a.hierarchy = p_hierarchy))
   WHERE h.id = p_hierarchy AND h.settled_at IS NULL
     AND EXISTS (SELECT FROM agentpki.destruction_records AS r WHERE r.hierarchy = p_hierarchy);
END $$;

REVOKE ALL ON FUNCTION agentpki.mark_destroyed, agentpki.destroy_hierarchy, agentpki.settle_hierarchy
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agentpki.mark_destroyed, agentpki.destroy_hierarchy,
  agentpki.settle_hierarchy TO agentpki_server;
