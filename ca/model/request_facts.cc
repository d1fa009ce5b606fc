#include "ca/model/request_facts.h"

#include "ca/model/agent.h"

namespace ca {

RequestFacts RequestFacts::Of(const Agent& agent, KeyType key_type, Operation operation) {
  return {std::string(agent.id.path()),
          agent.owner,
          agent.role,
          agent.version,
          agent.profile,
          key_type,
          operation};
}

}  // namespace ca
