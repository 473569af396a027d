// Faults that a test asks for. lib/loop/faults.ts has the same words in the same order.
#include "addon.h"

namespace ringpoll {

namespace {

enum PlanWord : uint32_t {
  kShortReads = 0,
  kShortWrites = 1,
  kResets = 2,
  kEnobufs = 3,
  kDelays = 4,
  kRefusals = 5,
  kDelayMinMs = 6,
  kDelayMaxMs = 7,
  kSeed = 8,
  kSide = 9,
  kPlanWords = 10,
};

// setFaults(Float64Array | undefined): of kPlanWords; undefined: no more faults
void SetFaults(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return;
  if (!info[0].IsTypedArray()) {
    guest->loop().setFaults(nullptr);
    return;
  }
  auto array = info[0].As<Napi::Float64Array>();
  if (array.ElementLength() < kPlanWords) return;
  const double* words = array.Data();
  FaultPlan plan;
  plan.shortReads = words[kShortReads];
  plan.shortWrites = words[kShortWrites];
  plan.resets = words[kResets];
  plan.enobufs = words[kEnobufs];
  plan.delays = words[kDelays];
  plan.refusals = words[kRefusals];
  plan.delayMinMs = static_cast<uint32_t>(words[kDelayMinMs]);
  plan.delayMaxMs = static_cast<uint32_t>(words[kDelayMaxMs]);
  plan.seed = static_cast<uint64_t>(words[kSeed]);
  plan.side = static_cast<FaultSide>(words[kSide]);
  guest->loop().setFaults(&plan);
}

// faultCounts() -> object
Napi::Value FaultCountsOf(const Napi::CallbackInfo& info) {
  GuestLoop* guest = guestOf(info);
  if (guest == nullptr) return info.Env().Undefined();
  const FaultCounts counts = guest->loop().faultCounts();
  Napi::Object object = Napi::Object::New(info.Env());
  const auto set = [&](const char* name, uint64_t count) {
    object.Set(name, Napi::Number::New(info.Env(), static_cast<double>(count)));
  };
  set("shortReads", counts.shortReads);
  set("shortWrites", counts.shortWrites);
  set("resets", counts.resets);
  set("enobufs", counts.enobufs);
  set("delays", counts.delays);
  set("refusals", counts.refusals);
  return object;
}

}  // namespace

void addFaultFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("setFaults", Napi::Function::New<SetFaults>(env));
  exports.Set("faultCounts", Napi::Function::New<FaultCountsOf>(env));
}

}  // namespace ringpoll
