// Reads of objects and lists that JavaScript passes, in an environment that may end meanwhile.
//
// Once worker.terminate() was called, every read of a property fails. node-addon-api answers it
// with a value that belongs to no environment, and ends the process when that value is asked
// something. What cannot be read is undefined, 0, "" or nothing here. Whoever has read asks
// ending() before it uses what it has read.
#pragma once

#include <napi.h>

#include <cstdint>
#include <string>

namespace ringpoll {

// From now on nothing can be read, and nothing that is returned is seen by anybody.
inline bool ending(Napi::Env env) {
  napi_value global = nullptr;
  napi_value value = nullptr;
  if (napi_get_global(env, &global) != napi_ok) return true;
  return napi_get_named_property(env, global, "Object", &value) != napi_ok;
}

inline Napi::Value property(const Napi::Value& object, const char* name) {
  if (!object.IsObject()) return {};
  napi_value value = nullptr;
  if (napi_get_named_property(object.Env(), object, name, &value) != napi_ok) return {};
  return {object.Env(), value};
}

inline uint32_t lengthOf(const Napi::Value& list) {
  return list.IsArray() ? list.As<Napi::Array>().Length() : 0;
}

inline Napi::Value element(const Napi::Value& list, uint32_t index) {
  napi_value value = nullptr;
  if (!list.IsArray() || napi_get_element(list.Env(), list, index, &value) != napi_ok) return {};
  return {list.Env(), value};
}

inline std::string textOf(const Napi::Value& value) {
  return value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
}

inline double numberOf(const Napi::Value& value) {
  return value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
}

inline bool truthOf(const Napi::Value& value) {
  return value.IsBoolean() && value.As<Napi::Boolean>().Value();
}

// A view on a Uint8Array, as long as JavaScript does not run.
struct ByteView {
  const uint8_t* data = nullptr;
  size_t length = 0;
};

inline ByteView bytesIn(const Napi::Value& value) {
  if (!value.IsTypedArray()) return {};
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.ByteLength()};
}

}  // namespace ringpoll
