#pragma once

#include <string>
#include <string_view>

#include "ca/model/agent.h"
#include "ca/model/audit_event.h"
#include "ca/model/hierarchy.h"
#include "ca/x509/csr.h"
#include "ca/x509/subject_key.h"

// Defaults for tests; a test overrides the field that it is about.
namespace ca::testing {

SpiffeId IdOf(const Hierarchy& hierarchy, std::string_view path);

// agentpki/system, trust domain system.agentpki.internal, profiles "operator" and "server".
Hierarchy SystemHierarchy();
// acme/prod, trust domain prod.acme.example. Profile "agent" is for P-256 and P-384 keys and an
// hour; "service" may have host names in svc.acme.example and 10.0.0.0/8.
Hierarchy AcmeProd();
// globex/prod, trust domain prod.globex.example, profile "agent".
Hierarchy GlobexProd();

// An agent with the hierarchy's first profile, not registered yet.
Agent AgentOf(const Hierarchy& hierarchy, std::string_view path);

AuditEvent EventAt(TimePoint now, std::string action);

SubjectKey NewSubjectKey();
PublicKey PublicHalf(const SubjectKey& key);

}  // namespace ca::testing
