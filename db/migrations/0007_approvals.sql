-- What takes two operators: who asked for which change, who decided on it, and how it ended. The
-- server's role inserts and reads here; it can neither update nor delete.

CREATE TABLE agentpki.approvals (
  id           text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{16}$'),
  hierarchy    integer NOT NULL REFERENCES agentpki.hierarchies,
  kind         text NOT NULL
               CHECK (kind IN ('root-rotation', 'destruction', 'policy-widening',
                               'authority-revocation')),
  digest       bytea NOT NULL CHECK (length(digest) = 32),  -- of the exact change
  changes      text[] NOT NULL,                             -- the same for people
  requested_by text NOT NULL,                               -- SPIFFE ID
  requested_at timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL CHECK (expires_at > requested_at),
  UNIQUE (id, hierarchy, requested_by)  -- for what says all three
);
CREATE INDEX approvals_by_time ON agentpki.approvals (hierarchy, requested_at, id);
CREATE INDEX approvals_by_end ON agentpki.approvals (hierarchy, expires_at);

-- The first decision stands, and nobody's is on what they asked for themselves.
CREATE TABLE agentpki.approval_decisions (
  approval     text PRIMARY KEY,
  hierarchy    integer NOT NULL,
  requested_by text NOT NULL,
  verdict      text NOT NULL CHECK (verdict IN ('approve', 'deny')),
  decided_by   text NOT NULL CHECK (decided_by <> requested_by),
  decided_at   timestamptz NOT NULL,
  reason       text NOT NULL CHECK (verdict = 'approve' OR reason <> ''),
  UNIQUE (approval, hierarchy, verdict),
  FOREIGN KEY (approval, hierarchy, requested_by)
    REFERENCES agentpki.approvals (id, hierarchy, requested_by)
);

-- Once, by whoever asked: it was used, which is only of what was approved, or it was withdrawn.
CREATE TABLE agentpki.approval_ends (
  approval       text PRIMARY KEY,
  hierarchy      integer NOT NULL,
  requested_by   text NOT NULL,
  outcome        text NOT NULL CHECK (outcome IN ('used', 'withdrawn')),
  verdict        text
                 CHECK (verdict IS NOT DISTINCT FROM CASE outcome WHEN 'used' THEN 'approve' END),
  ended_at       timestamptz NOT NULL,
  correlation_id text NOT NULL,  -- of the call that did it
  FOREIGN KEY (approval, hierarchy, requested_by)
    REFERENCES agentpki.approvals (id, hierarchy, requested_by),
  FOREIGN KEY (approval, hierarchy, verdict)
    REFERENCES agentpki.approval_decisions (approval, hierarchy, verdict)
);

ALTER TABLE agentpki.approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.approval_decisions ENABLE ROW LEVEL SECURITY;
ALTER TABLE agentpki.approval_ends ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.approvals
  USING (hierarchy = agentpki.current_hierarchy());
CREATE POLICY within_hierarchy ON agentpki.approval_decisions
  USING (hierarchy = agentpki.current_hierarchy());
CREATE POLICY within_hierarchy ON agentpki.approval_ends
  USING (hierarchy = agentpki.current_hierarchy());

GRANT SELECT, INSERT ON agentpki.approvals, agentpki.approval_decisions, agentpki.approval_ends
  TO agentpki_server;
