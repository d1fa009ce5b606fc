#pragma once

#include "ca/base/refusal.h"

// Every rule that refuses, once, with its gRPC code and its message. A rule that refuses for
// several reasons leaves the reason to its last argument. A new rule also belongs into the array at
// the end and into the table in docs/operating.md; tests/ca/base/rules_test.cc compares them.
namespace ca {

// ---- the caller ---------------------------------------------------------------------------------

inline constexpr Rule kCallerAnonymous{"caller.anonymous", StatusCode::kUnauthenticated,
                                       "present a TLS client certificate: {}"};
inline constexpr Rule kCallerMalformed{"caller.malformed", StatusCode::kUnauthenticated,
                                       "client certificate: it cannot be read"};
inline constexpr Rule kCallerIdentity{"caller.identity", StatusCode::kUnauthenticated,
                                      "client certificate: {}"};
inline constexpr Rule kCallerUntrusted{"caller.untrusted", StatusCode::kUnauthenticated,
                                       "client certificate: {}"};
inline constexpr Rule kCallerExpired{"caller.expired", StatusCode::kUnauthenticated,
                                     "client certificate: it was valid from {} to {}; enroll anew"};
inline constexpr Rule kCallerRevoked{
    "caller.revoked", StatusCode::kUnauthenticated,
    "client certificate: it was revoked at {} ({}); enroll anew with a join token"};
inline constexpr Rule kCallerRole{"caller.role", StatusCode::kPermissionDenied,
                                  "{} may not {}; it needs one of the roles {} over {}"};

// ---- agents, operators and their quotas ---------------------------------------------------------

inline constexpr Rule kAgentExists{"agent.exists", StatusCode::kAlreadyExists,
                                   "agent {} is registered already"};
inline constexpr Rule kAgentUnknown{"agent.unknown", StatusCode::kNotFound,
                                    "agent {} is not registered"};
inline constexpr Rule kAgentDisabled{"agent.disabled", StatusCode::kPermissionDenied,
                                     "agent {} is disabled; ask its owner"};
inline constexpr Rule kRegistration{"registration", StatusCode::kInvalidArgument, "{}"};
inline constexpr Rule kGrantLastAdmin{"grant.last-admin", StatusCode::kFailedPrecondition,
                                      "{} is the last admin over all; make another one first"};
inline constexpr Rule kQuotaAgents{
    "quota.agents", StatusCode::kResourceExhausted,
    "tenant {} has {} agents in all its hierarchies, and may have {}"};
inline constexpr Rule kQuotaCertificates{
    "quota.certificates", StatusCode::kResourceExhausted,
    "tenant {} may have {} certificates a minute; retry in {}"};

// ---- join tokens, renewals and keys -------------------------------------------------------------

inline constexpr Rule kJoinTokenUnknown{"join-token.unknown", StatusCode::kPermissionDenied,
                                        "the join token is not known; ask for a new one"};
inline constexpr Rule kJoinTokenAgent{"join-token.agent", StatusCode::kPermissionDenied,
                                      "the join token is not for agent {}; ask for a new one"};
inline constexpr Rule kJoinTokenUsed{"join-token.used", StatusCode::kPermissionDenied,
                                     "the join token was used already; {}"};
inline constexpr Rule kJoinTokenExpired{"join-token.expired", StatusCode::kPermissionDenied,
                                        "the join token expired at {}; ask for a new one"};
inline constexpr Rule kJoinTokenRevoked{"join-token.revoked", StatusCode::kPermissionDenied,
                                        "the join token was revoked; ask for a new one"};
inline constexpr Rule kRenewalUnknownCertificate{
    "renewal.unknown-certificate", StatusCode::kPermissionDenied,
    "the client certificate is not in the ledger; enroll anew with a join token"};
inline constexpr Rule kRenewalRevoked{
    "renewal.revoked", StatusCode::kPermissionDenied,
    "the client certificate is revoked; enroll anew with a join token"};
inline constexpr Rule kRequestIdReused{
    "request-id.reused", StatusCode::kInvalidArgument,
    "request_id was used for another key; make a new one for each request"};
inline constexpr Rule kKeyCompromised{
    "key.compromised", StatusCode::kPermissionDenied,
    "the csr's key was revoked for compromise and is refused for ever; make a new key"};
inline constexpr Rule kKeyInUse{"key.in-use", StatusCode::kAlreadyExists, "the key is in use: {}"};
inline constexpr Rule kKeyNotNew{
    "key.not-new", StatusCode::kAlreadyExists,
    "the csr's key has a valid certificate already; a renewal takes a new key"};

// ---- certification requests ---------------------------------------------------------------------

inline constexpr Rule kCsrSize{"csr.size", StatusCode::kInvalidArgument,
                               "csr is {} octets long; send at most {}"};
inline constexpr Rule kCsrMalformed{"csr.malformed", StatusCode::kInvalidArgument, "csr {}"};
inline constexpr Rule kCsrKey{"csr.key", StatusCode::kInvalidArgument, "csr {}"};
inline constexpr Rule kCsrSignatureAlgorithm{
    "csr.signature-algorithm", StatusCode::kInvalidArgument,
    "csr signature algorithm {}; use ECDSA or RSA (PKCS #1 v1.5) with SHA-256, SHA-384 or SHA-512, "
    "or Ed25519, whichever fits the key"};
inline constexpr Rule kCsrProofOfPossession{
    "csr.proof-of-possession", StatusCode::kInvalidArgument,
    "csr signature is not by the key that the csr names; sign with that key"};
inline constexpr Rule kCsrSubject{
    "csr.subject", StatusCode::kInvalidArgument,
    "csr subject asks for {}={}, which is not the name of {}; leave the subject empty"};
inline constexpr Rule kCsrAlternativeName{
    "csr.alternative-name", StatusCode::kInvalidArgument,
    "csr subjectAltName asks for {}:{}, which is not a name of {}; ask for its own or leave "
    "subjectAltName out"};
inline constexpr Rule kCsrExtension{"csr.extension", StatusCode::kInvalidArgument, "csr {}"};
inline constexpr Rule kCsrAttribute{
    "csr.attribute", StatusCode::kInvalidArgument,
    "csr has the attribute '{}', which has no meaning here; leave it out"};

// ---- profiles and policies ----------------------------------------------------------------------

inline constexpr Rule kProfileKeyType{"profile.key-type", StatusCode::kInvalidArgument,
                                      "csr key is {}; profile '{}' allows {}"};
inline constexpr Rule kProfileUnknown{"profile.unknown", StatusCode::kInvalidArgument, "{}"};
inline constexpr Rule kProfileInUse{"profile.in-use", StatusCode::kFailedPrecondition,
                                    "profiles: {}: agents of {} have it, so it has to stay"};
// policy.NAME, by the name of the hierarchy's enrollment rule.
inline constexpr RuleFamily kPolicyRules{"policy.", StatusCode::kPermissionDenied,
                                         "rule '{}' of {} refuses to {} {} with a {} key{}; {}"};
// lint.*, by the field and the fault: ca/issuance/lint.h.
inline constexpr RuleFamily kLintRules{
    "lint.", StatusCode::kInternal,
    "the certificate that was prepared for {} is not as it should be, and is not signed: {}"};

// ---- certificates -------------------------------------------------------------------------------

inline constexpr Rule kCertificateUnknown{"certificate.unknown", StatusCode::kNotFound,
                                          "no certificate has serial {}"};
inline constexpr Rule kCertificateRoot{
    "certificate.root", StatusCode::kFailedPrecondition,
    "certificate {} is a root's own; no authority above it could revoke it"};
inline constexpr Rule kCertificateExpired{
    "certificate.expired", StatusCode::kFailedPrecondition,
    "certificate {} has expired; no relying party accepts it any more"};
inline constexpr Rule kCertificateAuthority{
    "certificate.authority", StatusCode::kFailedPrecondition,
    "serial: it is the certificate of {}; run: agentpki authority revoke {}"};

// ---- authorities --------------------------------------------------------------------------------

inline constexpr Rule kAuthoritySuperseded{"authority.superseded", StatusCode::kAborted,
                                           "another authority has become active; retry"};
inline constexpr Rule kAuthorityTainted{
    "authority.tainted", StatusCode::kFailedPrecondition,
    "authority: {} is tainted since {} ({}); run: agentpki authority prepare {}"};
inline constexpr Rule kAuthorityRevoked{"authority.revoked", StatusCode::kFailedPrecondition,
                                        "authority: {} is revoked: {}"};
inline constexpr Rule kAuthorityKeyDestroyed{
    "authority.key-destroyed", StatusCode::kFailedPrecondition,
    "authority: {} has no key any more ({}); run: agentpki authority prepare {}"};
inline constexpr Rule kAuthorityEnding{
    "authority.ending", StatusCode::kFailedPrecondition,
    "authority: {} ends at {}, before a certificate that it would issue; run: agentpki authority "
    "prepare {}"};
inline constexpr Rule kAuthorityJustPublished{
    "authority.just-published", StatusCode::kFailedPrecondition,
    "authority: {} was published just now, and some replicas may not know it yet; retry in {}"};
inline constexpr Rule kAuthorityNotAcknowledged{
    "authority.not-acknowledged", StatusCode::kFailedPrecondition, "authority: {} {}"};
inline constexpr Rule kAuthorityNoneBefore{
    "authority.none-before", StatusCode::kFailedPrecondition,
    "{} has had one issuing authority: there is none to go back to"};
inline constexpr Rule kAuthorityRootNotTrusted{
    "authority.root-not-trusted", StatusCode::kFailedPrecondition,
    "authority: the root of {} is not in trust bundle {}, so no relying party would trust the "
    "certificates that it issues; run: agentpki authority prepare {}"};
inline constexpr Rule kAuthorityRootsOverlap{
    "authority.roots-overlap", StatusCode::kFailedPrecondition,
    "{} has {} roots that have not ended, which is as many as a chain may link; wait until the "
    "oldest ends"};
inline constexpr Rule kAuthorityRootOurs{
    "authority.root-ours", StatusCode::kFailedPrecondition,
    "authority: {} gets its certificate from a root of ours: the file of {} names none in root: "
    "external_certificates"};
inline constexpr Rule kAuthorityRootExternal{
    "authority.root-external", StatusCode::kFailedPrecondition,
    "the root of {} is external: write the next root's certificate into its file, root: "
    "external_certificates, beside the one before"};
inline constexpr Rule kAuthorityHasCertificate{
    "authority.has-certificate", StatusCode::kFailedPrecondition,
    "authority: {} has its certificate; for the next one run: agentpki authority prepare {}"};

// ---- certificates from an external root ---------------------------------------------------------

inline constexpr Rule kImportSize{"import.size", StatusCode::kInvalidArgument, "certificate: {}"};
inline constexpr Rule kImportMalformed{"import.malformed", StatusCode::kInvalidArgument,
                                       "certificate: {}"};
inline constexpr Rule kImportKey{"import.key", StatusCode::kInvalidArgument, "certificate: {}"};
inline constexpr Rule kImportChain{"import.chain", StatusCode::kInvalidArgument, "certificate: {}"};
inline constexpr Rule kImportCa{"import.ca", StatusCode::kInvalidArgument,
                                "certificate: basicConstraints has to say {}"};
inline constexpr Rule kImportPathLength{
    "import.path-length", StatusCode::kInvalidArgument,
    "certificate: '{}' allows {} CAs below it, and there would be {}"};
inline constexpr Rule kImportKeyUsage{"import.key-usage", StatusCode::kInvalidArgument,
                                      "certificate: keyUsage has to be keyCertSign and cRLSign"};
inline constexpr Rule kImportKeyIdentifier{
    "import.key-identifier", StatusCode::kInvalidArgument,
    "certificate: subjectKeyIdentifier has to be the SHA-1 of its key, {}, as the certification "
    "request has it"};
inline constexpr Rule kImportSubject{"import.subject", StatusCode::kInvalidArgument,
                                     "certificate: {}"};
inline constexpr Rule kImportTrustDomain{"import.trust-domain", StatusCode::kInvalidArgument,
                                         "certificate: subjectAltName has another name than {}"};
inline constexpr Rule kImportNameConstraints{"import.name-constraints",
                                             StatusCode::kInvalidArgument, "certificate: {}"};
inline constexpr Rule kImportValidity{"import.validity", StatusCode::kInvalidArgument,
                                      "certificate: it ends at {}, {}"};

// ---- hierarchies --------------------------------------------------------------------------------

inline constexpr Rule kHierarchyFixed{
    "hierarchy.fixed", StatusCode::kFailedPrecondition,
    "{}: it is in every certificate of {}, which cannot change it; make another hierarchy"};
inline constexpr Rule kHierarchySystem{"hierarchy.system", StatusCode::kFailedPrecondition,
                                       "{} is the system hierarchy: {}"};
inline constexpr Rule kHierarchyDestroyed{"hierarchy.destroyed", StatusCode::kFailedPrecondition,
                                          "{} is destroyed: nothing is issued in it any more"};
inline constexpr Rule kHierarchyToken{
    "hierarchy.token", StatusCode::kFailedPrecondition,
    "token: {} is to have its keys on '{}', and the servers' configuration (hsm: tokens) says that "
    "those of tenant {} are on '{}'; name the tenant at token '{}' there if it has no keys yet, or "
    "else write token: {}"};
inline constexpr Rule kHierarchyPlanStale{
    "hierarchy.plan-stale", StatusCode::kAborted,
    "plan_digest: {} has changed since the plan was made; plan again"};
inline constexpr Rule kRootInUse{
    "root.in-use", StatusCode::kFailedPrecondition,
    "root: external_certificates: {} is under the one with the SHA-256 {}, which has to stay until "
    "its certificates have ended"};

// The command line's own: no server refuses by them.
inline constexpr Rule kHierarchyDiffers{"hierarchy.differs", StatusCode::kFailedPrecondition, "{}"};
inline constexpr Rule kHierarchyAwaitsCertificate{
    "hierarchy.awaits-certificate", StatusCode::kFailedPrecondition,
    "{} is applied, but the owner of its root must sign its issuing authority; for the request, "
    "run: "
    "agentpki authority csr {}"};

// ---- approvals ----------------------------------------------------------------------------------

inline constexpr Rule kApprovalPending{
    "approval.pending", StatusCode::kFailedPrecondition,
    "{} takes two operators and waits for approval {} until {}; another admin of {} runs: "
    "agentpki approval approve {}; then repeat this command"};
inline constexpr Rule kApprovalDenied{"approval.denied", StatusCode::kFailedPrecondition,
                                      "{} was denied by {}: {}; ask again when {} expires, at {}"};
inline constexpr Rule kApprovalOwn{"approval.own", StatusCode::kPermissionDenied,
                                   "{} asked for {}; another admin has to decide"};
inline constexpr Rule kApprovalNotOwn{
    "approval.not-own", StatusCode::kPermissionDenied,
    "{} asked for {} and alone may withdraw it; an admin denies it: agentpki approval deny {}"};
inline constexpr Rule kApprovalDecided{"approval.decided", StatusCode::kFailedPrecondition,
                                       "{} was {} by {} at {}"};
inline constexpr Rule kApprovalExpired{"approval.expired", StatusCode::kFailedPrecondition,
                                       "{} expired at {}; ask again if you need it"};
inline constexpr Rule kApprovalWithdrawn{"approval.withdrawn", StatusCode::kFailedPrecondition,
                                         "{} was withdrawn at {} by {}, who asked for it"};
inline constexpr Rule kApprovalUsed{"approval.used", StatusCode::kFailedPrecondition,
                                    "{} was used at {}: its change is made"};
inline constexpr Rule kApprovalTooMany{
    "approval.too-many", StatusCode::kFailedPrecondition,
    "{} approvals are pending in the hierarchy; decide on some first: agentpki approval list"};

// ---- what allows --------------------------------------------------------------------------------

// The answer of an earlier attempt is given again.
inline constexpr AllowingRule kReplay{"replay"};
// Two operators agreed.
inline constexpr AllowingRule kApprovalApproved{"approval.approved"};
// The gate of a rotation: enough agents know the successor; the time for that is over; an operator
// leaves the others behind.
inline constexpr AllowingRule kAuthorityAcknowledged{"authority.acknowledged"};
inline constexpr AllowingRule kAuthorityAcknowledgeDeadline{"authority.acknowledge-deadline"};
inline constexpr AllowingRule kAuthorityDespiteStragglers{"authority.despite-stragglers"};

// ---- all of them --------------------------------------------------------------------------------

inline constexpr const Rule* kAllRules[] = {
    &kCallerAnonymous,
    &kCallerMalformed,
    &kCallerIdentity,
    &kCallerUntrusted,
    &kCallerExpired,
    &kCallerRevoked,
    &kCallerRole,
    &kAgentExists,
    &kAgentUnknown,
    &kAgentDisabled,
    &kRegistration,
    &kGrantLastAdmin,
    &kQuotaAgents,
    &kQuotaCertificates,
    &kJoinTokenUnknown,
    &kJoinTokenAgent,
    &kJoinTokenUsed,
    &kJoinTokenExpired,
    &kJoinTokenRevoked,
    &kRenewalUnknownCertificate,
    &kRenewalRevoked,
    &kRequestIdReused,
    &kKeyCompromised,
    &kKeyInUse,
    &kKeyNotNew,
    &kCsrSize,
    &kCsrMalformed,
    &kCsrKey,
    &kCsrSignatureAlgorithm,
    &kCsrProofOfPossession,
    &kCsrSubject,
    &kCsrAlternativeName,
    &kCsrExtension,
    &kCsrAttribute,
    &kProfileKeyType,
    &kProfileUnknown,
    &kProfileInUse,
    &kCertificateUnknown,
    &kCertificateRoot,
    &kCertificateExpired,
    &kCertificateAuthority,
    &kAuthoritySuperseded,
    &kAuthorityTainted,
    &kAuthorityRevoked,
    &kAuthorityKeyDestroyed,
    &kAuthorityEnding,
    &kAuthorityJustPublished,
    &kAuthorityNotAcknowledged,
    &kAuthorityNoneBefore,
    &kAuthorityRootNotTrusted,
    &kAuthorityRootsOverlap,
    &kAuthorityRootOurs,
    &kAuthorityRootExternal,
    &kAuthorityHasCertificate,
    &kImportSize,
    &kImportMalformed,
    &kImportKey,
    &kImportChain,
    &kImportCa,
    &kImportPathLength,
    &kImportKeyUsage,
    &kImportKeyIdentifier,
    &kImportSubject,
    &kImportTrustDomain,
    &kImportNameConstraints,
    &kImportValidity,
    &kHierarchyFixed,
    &kHierarchySystem,
    &kHierarchyDestroyed,
    &kHierarchyToken,
    &kHierarchyPlanStale,
    &kRootInUse,
    &kHierarchyDiffers,
    &kHierarchyAwaitsCertificate,
    &kApprovalPending,
    &kApprovalDenied,
    &kApprovalOwn,
    &kApprovalNotOwn,
    &kApprovalDecided,
    &kApprovalExpired,
    &kApprovalWithdrawn,
    &kApprovalUsed,
    &kApprovalTooMany,
};
inline constexpr const RuleFamily* kAllRuleFamilies[] = {&kPolicyRules, &kLintRules};

}  // namespace ca
