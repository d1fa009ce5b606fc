#include "ca/base/refusal.h"

namespace ca {

bool Is(const Status& status, const Rule& rule) { return RuleOf(status) == rule.name; }

Status WithCode(StatusCode code, const Status& refusal) {
  return WithRule(Error(code, "{}", MessageOf(refusal)), RuleOf(refusal));
}

}  // namespace ca
