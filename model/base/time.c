/* time.c - see time.h. */
#include "model/base/time.h"

#include <string.h>
#include <time.h>

const char *
tn_time_format(int64_t t, char buf[TN_TIME_TEXT])
{
    static const int64_t last = 253402300799; /* End of the year 9999. */
    time_t clamped = (time_t) (t < 0 ? 0 : t > last ? last : t);
    struct tm tm;
    buf[0] = '\0';
    if (t != 0 && gmtime_r(&clamped, &tm)) {
        strftime(buf, TN_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return buf;
}

bool
tn_time_parse(const char *s, int64_t *out)
{
    struct tm tm = {0};
    char again[TN_TIME_TEXT];
    if (strlen(s) >= TN_TIME_TEXT) {
        return false;
    }
    const char *end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (!end || *end) {
        return false;
    }
    int64_t t = (int64_t) timegm(&tm);
    if (strcmp(tn_time_format(t, again), s) != 0) {
        return false;
    }
    *out = t;
    return true;
}

int64_t
tn_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t
tn_now_ms(void)
{
    return tn_now_ns() / 1000000;
}
