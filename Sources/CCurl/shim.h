#pragma once
// libcurl's options and information are variadic in C, which Swift cannot call: one typed function for each kind of
// argument stands in for them. <https://curl.se/libcurl/c/curl_easy_setopt.html>
#include <curl/curl.h>
#include <stddef.h>

typedef size_t (*sluice_curl_write)(char *, size_t, size_t, void *);
typedef int (*sluice_curl_socket)(CURL *, curl_socket_t, int, void *, void *);

static inline CURLcode sluice_curl_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_large(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode sluice_curl_set_write(CURL *easy, CURLoption option, sluice_curl_write value) {
    return curl_easy_setopt(easy, option, value);
}
/// libcurl copies the bytes.
static inline CURLcode sluice_curl_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}
static inline CURLcode sluice_curl_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

/// When a connection that was used before ends without an answer, libcurl sends the request again over another: the server
/// may have done it by then. This refuses that. What was not begun to be sent may still go over another connection.
static inline int sluice_curl_is_unsent(void *easy, char *there, char *here, int port_there, int port_here) {
    long sent = 0;
    (void)there;
    (void)here;
    (void)port_there;
    (void)port_here;
    curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}
static inline CURLcode sluice_curl_send_once(CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, easy);
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, sluice_curl_is_unsent);
}
static inline CURLMcode sluice_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// Gives up a connection whose peer acknowledges nothing for 30 s; the kernel's own limit is about 15 minutes, and
/// keepalive does not apply while data is on its way.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
static inline int sluice_curl_user_timeout(void *context, curl_socket_t socket, curlsocktype purpose) {
    (void)context;
    (void)purpose;
#ifdef TCP_USER_TIMEOUT
    unsigned int milliseconds = 30000;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
#endif
    return CURL_SOCKOPT_OK;
}
static inline CURLcode sluice_curl_set_user_timeout(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, sluice_curl_user_timeout);
}
