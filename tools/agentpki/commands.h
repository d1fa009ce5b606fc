#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "tools/agentpki/session.h"

namespace cli {

// The chosen command. Parsing the command line sets it; main() runs it afterwards.
using Run = std::function<ca::Status()>;

// The help of --hierarchy wherever it filters a listing, and of an argument that names a hierarchy.
inline constexpr char kOneHierarchy[] = "Only this hierarchy, for example acme/prod; default: all";
inline constexpr char kHierarchyArgument[] = "Name of the hierarchy, for example acme/prod";

// One file a noun. Each function adds its verbs to `app`; a chosen verb sets `run`. The session and
// `run` must outlive `app`.
void AddAgentCommands(CLI::App& app, const Session& session, Run& run);
void AddApprovalCommands(CLI::App& app, const Session& session, Run& run);
void AddAuthorityCommands(CLI::App& app, const Session& session, Run& run);
// Adds `authority taint` and `authority revoke` to the noun authority.
void AddTaintCommands(CLI::App& noun, const Session& session, Run& run);
// Adds `authority csr` and `authority import` to the noun authority.
void AddExternalCommands(CLI::App& noun, const Session& session, Run& run);
void AddBundleCommands(CLI::App& app, const Session& session, Run& run);
void AddCertCommands(CLI::App& app, const Session& session, Run& run);
// Adds `cert revoke` to the noun cert.
void AddRevokeCommand(CLI::App& noun, const Session& session, Run& run);
void AddHierarchyCommands(CLI::App& app, const Session& session, Run& run);
// Adds `hierarchy destroy`, `destroyed` and `record` to the noun hierarchy.
void AddDestroyCommands(CLI::App& noun, const Session& session, Run& run);
void AddOperatorCommands(CLI::App& app, const Session& session, Run& run);
void AddDoctorCommand(CLI::App& app, const Session& session, Run& run);
void AddPolicyCommands(CLI::App& app, const Session& session, Run& run);
// Adds `policy replay` to the noun policy.
void AddReplayCommand(CLI::App& noun, const Session& session, Run& run);
void AddStatusCommand(CLI::App& app, const Session& session, Run& run);
void AddTokenCommands(CLI::App& app, const Session& session, Run& run);

}  // namespace cli
