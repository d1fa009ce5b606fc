-- What was decided: one row for each decision, allowed or denied, in the transaction it speaks of.
--
-- `sequence` alone is not the order of commits. A reader that wants that order takes the rows whose
-- transaction is below pg_snapshot_xmin(pg_current_snapshot()), which no later commit can join, by
-- (transaction, sequence): this is where the tamper-evident log will read.

CREATE TABLE agentpki.audit_events (
  sequence       bigint GENERATED ALWAYS AS IDENTITY,
  transaction    xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at             timestamptz NOT NULL,
  actor          text NOT NULL,
  action         text NOT NULL,
  decision       text NOT NULL CHECK (decision IN ('allowed', 'denied', 'failed')),
  rule           text NOT NULL,
  reason         text NOT NULL,
  hierarchy      integer,  -- NULL when the call named none that exists
  subject        text NOT NULL,
  serial         text NOT NULL,
  from_address   text NOT NULL,
  correlation_id text NOT NULL,
  request_id     text NOT NULL,
  -- Of Enroll and Renew: what the policy decides by beside subject and action, as of then; NULL when it
  -- was refused before that was known. owner, role, version, profile, key_type.
  request        jsonb,
  PRIMARY KEY (at, sequence)
) PARTITION BY RANGE (at);
CREATE INDEX audit_events_by_transaction ON agentpki.audit_events (transaction, sequence);
-- For who replays a policy (db/request_rows.cc).
CREATE INDEX audit_events_requests ON agentpki.audit_events (hierarchy, at, sequence)
  WHERE action IN ('Enroll', 'Renew');

ALTER TABLE agentpki.audit_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY within_hierarchy ON agentpki.audit_events
  USING (hierarchy IS NOT DISTINCT FROM agentpki.current_hierarchy());

GRANT SELECT, INSERT ON agentpki.audit_events TO agentpki_server;

-- All of one hierarchy, or (0) of none.
CREATE FUNCTION agentpki.record_events(
  p_hierarchy integer, p_at timestamptz[], p_actor text[], p_action text[], p_decision text[],
  p_rule text[], p_reason text[], p_subject text[], p_serial text[], p_from_address text[],
  p_correlation_id text[], p_request_id text[], p_request text[])
RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('agentpki.hierarchy', nullif(p_hierarchy, 0)::text, true);
  INSERT INTO agentpki.audit_events (at, actor, action, decision, rule, reason, hierarchy, subject,
                                     serial, from_address, correlation_id, request_id,
                                     request)
  SELECT e.at, e.actor, e.action, e.decision, e.rule, e.reason, nullif(p_hierarchy, 0), e.subject,
         e.serial, e.from_address, e.correlation_id, e.request_id, e.request::jsonb
    FROM unnest(p_at, p_actor, p_action, p_decision, p_rule, p_reason, p_subject, p_serial,
                p_from_address, p_correlation_id, p_request_id, p_request)
      AS e(at, actor, action, decision, rule, reason, subject, serial, from_address,
           correlation_id, request_id, request);
END $$;
REVOKE ALL ON FUNCTION agentpki.record_events FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agentpki.record_events TO agentpki_server;
