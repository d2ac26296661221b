// A plugin in plain C, written from sdk/ABI.md alone: no SDK, no C library, no runtime.
//
// It refuses requests whose path parameter or query `n` is no number, counts them in the plugin's own store, and tells the count in a header of
// the answer. Its config table may have `header`, the name of that header.
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("sallyport"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))

// Section 8 of the page, as far as it is needed here. A text is a pointer and a length.
IMPORT("config") int32_t config(char *buf, uint32_t cap);
IMPORT("fail") int32_t fail(const char *text, uint32_t len);
IMPORT("query") int32_t query(const char *name, uint32_t name_len, char *buf, uint32_t cap);
IMPORT("respond") int32_t respond(uint32_t status, const char *body, uint32_t len);
IMPORT("header_set") int32_t header_set(uint32_t msg, const char *name, uint32_t name_len, const char *value, uint32_t value_len);
IMPORT("state_set") int32_t state_set(const void *data, uint32_t len);
IMPORT("state_get") int32_t state_get(void *buf, uint32_t cap);
IMPORT("kv_add") int32_t kv_add(const char *store, uint32_t store_len, const char *key, uint32_t key_len, int64_t delta, uint32_t ttl_ms, int64_t *out);

enum { REQUEST = 0, RESPONSE = 1 };                // messages
enum { HOOK_REQUEST = 1, HOOK_RESPONSE = 4 };      // hooks
enum { CONTINUE = 0, RESPOND = 1, FAILED = -1 };   // results
enum { NOT_FOUND = -1 };                           // codes

#define TEXT(s) (s), (sizeof(s) - 1)

static char header[64] = "X-Count";
static uint32_t header_len = 7;

EXPORT("sallyport_abi") int32_t sallyport_abi(void) { return 1; }

// read_header takes {"header":"NAME"}, which is all the JSON that this plugin has to understand, or {}.
static int read_header(const char *json, int32_t len) {
  static const char before[] = "{\"header\":\"";
  const int32_t start = sizeof(before) - 1;
  if (len == 2) return 1;
  if (len < start + 3 || len - start - 2 > (int32_t)sizeof(header)) return 0;
  for (int32_t i = 0; i < start; i++)
    if (json[i] != before[i]) return 0;
  header_len = 0;
  for (int32_t i = start; i < len - 2; i++) {
    if (json[i] == '"' || json[i] == '\\') return 0;
    header[header_len++] = json[i];
  }
  return json[len - 2] == '"' && json[len - 1] == '}';
}

EXPORT("on_configure") int32_t on_configure(void) {
  char json[128];
  int32_t len = config(json, sizeof json);
  if (len < 2 || len > (int32_t)sizeof json || !read_header(json, len)) {
    fail(TEXT("/header must be all there is, a name of up to 64 letters"));
    return FAILED;
  }
  return HOOK_REQUEST | HOOK_RESPONSE;
}

EXPORT("on_request") int32_t on_request(void) {
  char n[16];
  int32_t len = query(TEXT("n"), n, sizeof n);
  int ok = len > 0 && len <= (int32_t)sizeof n;
  for (int32_t i = 0; ok && i < len; i++) ok = n[i] >= '0' && n[i] <= '9';
  if (len != NOT_FOUND && !ok) {
    header_set(RESPONSE, TEXT("Content-Type"), TEXT("text/plain"));
    respond(422, TEXT("n must be a number\n"));
    return RESPOND;
  }
  int64_t count;
  if (kv_add(TEXT(""), TEXT("requests"), 1, 0, &count) < 0) return FAILED;
  state_set(&count, sizeof count); // on_response may run in another instance
  return CONTINUE;
}

EXPORT("on_response") int32_t on_response(void) {
  int64_t count;
  char digits[20];
  uint32_t at = sizeof digits;
  if (state_get(&count, sizeof count) != sizeof count) return FAILED;
  do digits[--at] = '0' + count % 10;
  while (count /= 10);
  return header_set(RESPONSE, header, header_len, digits + at, sizeof digits - at);
}
