#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "tools/agentpki/session.h"

namespace cli {

// What the chosen command does; set while the command line is parsed, run afterwards.
using Run = std::function<ca::Status()>;

// The rule of a status that says no more than that there is something to change, or that a change
// would be felt: exit status 2.
inline constexpr char kDiffersRule[] = "hierarchy.differs";

// The rules of what is done when somebody else has done his part, another operator or the owner of
// an external root: exit status 75.
inline constexpr char kPendingRule[] = "approval.pending";
inline constexpr char kAwaitsCertificateRule[] = "hierarchy.awaits-certificate";

// One file a noun. Each adds its verbs below `app`; a verb that is chosen sets `run`.
void AddAgentCommands(CLI::App& app, const Session& session, Run& run);
void AddApprovalCommands(CLI::App& app, const Session& session, Run& run);
void AddAuthorityCommands(CLI::App& app, const Session& session, Run& run);
// `authority csr` and `import`, below the noun authority.
void AddExternalCommands(CLI::App& noun, const Session& session, Run& run);
void AddBundleCommands(CLI::App& app, const Session& session, Run& run);
void AddCertCommands(CLI::App& app, const Session& session, Run& run);
// `cert revoke`, below the noun cert.
void AddRevokeCommand(CLI::App& noun, const Session& session, Run& run);
void AddHierarchyCommands(CLI::App& app, const Session& session, Run& run);
// `hierarchy destroy`, `destroyed` and `record`, below the noun hierarchy.
void AddDestroyCommands(CLI::App& noun, const Session& session, Run& run);
void AddOperatorCommands(CLI::App& app, const Session& session, Run& run);
void AddDoctorCommand(CLI::App& app, const Session& session, Run& run);
void AddPolicyCommands(CLI::App& app, const Session& session, Run& run);
// `policy replay`, below the noun policy.
void AddReplayCommand(CLI::App& noun, const Session& session, Run& run);
void AddStatusCommand(CLI::App& app, const Session& session, Run& run);
void AddTokenCommands(CLI::App& app, const Session& session, Run& run);

}  // namespace cli
