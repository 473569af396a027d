// The few functions of libuv that the guest loop uses. `node` exports them, and they are stable
// within libuv 1. Declared here because not every build finds uv.h; handles are allocated by
// uv_handle_size(), so their layout is not needed.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
struct uv_loop_s;
struct uv_handle_s;

struct uv_metrics_s {
  uint64_t loop_count;
  uint64_t events;
  uint64_t events_waiting;
  uint64_t* reserved[13];
};

size_t uv_handle_size(int type);
void* uv_handle_get_data(const uv_handle_s* handle);
void uv_handle_set_data(uv_handle_s* handle, void* data);
void uv_close(uv_handle_s* handle, void (*closed)(uv_handle_s*));
void uv_ref(uv_handle_s* handle);
void uv_unref(uv_handle_s* handle);
int uv_idle_init(uv_loop_s* loop, uv_handle_s* idle);
int uv_idle_start(uv_handle_s* idle, void (*callback)(uv_handle_s*));
int uv_idle_stop(uv_handle_s* idle);
int uv_check_init(uv_loop_s* loop, uv_handle_s* check);
int uv_check_start(uv_handle_s* check, void (*callback)(uv_handle_s*));
int uv_check_stop(uv_handle_s* check);
int uv_backend_fd(const uv_loop_s* loop);
int uv_backend_timeout(const uv_loop_s* loop);
void uv_update_time(uv_loop_s* loop);
int uv_metrics_info(uv_loop_s* loop, uv_metrics_s* metrics);
}

namespace ringpoll {
// uv_handle_type: the values are part of libuv's ABI.
inline constexpr int kUvCheck = 2;
inline constexpr int kUvIdle = 6;
}  // namespace ringpoll
