-- What relying parties should hold, in versions, and who has said that it does. The server's role
-- inserts and reads here; it can neither update nor delete.

-- One row for each version of a hierarchy's trust bundle, of which the last is what is to be held now.
-- An array, because a version is read whole and never changes: each authority in it is in
-- agentpki.authorities, with its certificate.
CREATE TABLE agentpki.trust_bundles (
  hierarchy    integer NOT NULL REFERENCES agentpki.hierarchies,
  version      integer NOT NULL CHECK (version > 0),
  authorities  bigint[] NOT NULL CHECK (array_position(authorities, NULL) IS NULL),  -- oldest first
  published_at timestamptz NOT NULL,
  PRIMARY KEY (hierarchy, version)
);
GRANT SELECT, INSERT ON agentpki.trust_bundles TO agentpki_server;

-- Of versions that there are, so that nobody fills it with others.
CREATE TABLE agentpki.bundle_acknowledgements (
  hierarchy       integer NOT NULL,
  agent           bigint NOT NULL REFERENCES agentpki.agents,
  version         integer NOT NULL,
  acknowledged_at timestamptz NOT NULL,
  PRIMARY KEY (agent, version),
  FOREIGN KEY (hierarchy, version) REFERENCES agentpki.trust_bundles
);
ALTER TABLE agentpki.bundle_acknowledgements ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.bundle_acknowledgements
  USING (hierarchy = agentpki.current_hierarchy());
GRANT SELECT, INSERT ON agentpki.bundle_acknowledgements TO agentpki_server;

-- The live agents of the hierarchy that the transaction has named, those with a certificate that
-- stands; and the newest version that each has acknowledged, or 0. Our own servers are none: they know
-- what is in the database.
CREATE FUNCTION agentpki.live_agents(p_now timestamptz)
RETURNS TABLE (spiffe_id text, owner text, version integer)
LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  today date := (p_now AT TIME ZONE 'UTC')::date;
BEGIN
  RETURN QUERY
  WITH live AS MATERIALIZED (
    SELECT DISTINCT i.agent
      FROM agentpki.issuances AS i
      JOIN agentpki.signatures AS s ON s.expiry_day = i.expiry_day AND s.serial = i.serial
     WHERE i.expiry_day >= today AND s.expiry_day >= today AND i.not_after >= p_now
       AND NOT EXISTS (SELECT FROM agentpki.revocations AS r
                        WHERE r.expiry_day = i.expiry_day AND r.serial = i.serial)
  )
  SELECT g.spiffe_id, g.owner,
         coalesce((SELECT max(a.version) FROM agentpki.bundle_acknowledgements AS a
                    WHERE a.agent = g.number), 0)
    FROM live AS l
    JOIN agentpki.agents AS g ON g.number = l.agent
    JOIN agentpki.hierarchies AS h ON h.id = g.hierarchy
   WHERE NOT (h.is_system AND g.role = 'server');
END $$;
REVOKE ALL ON FUNCTION agentpki.live_agents FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agentpki.live_agents TO agentpki_server;
