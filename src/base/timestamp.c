#include "config.h"

#include "base/timestamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

static const char timestamp_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char timestamp_days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */

/* Days since 1970-01-01 of a civil date (proleptic Gregorian). */
static int64_t
timestamp_days_from_civil(int64_t y, unsigned m, unsigned d)
{
	int64_t era, doe;
	unsigned yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = (unsigned)(y - era * 400);
	doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	doe = (int64_t)yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

/* The civil date of a day number. */
static void
timestamp_civil_from_days(int64_t z, int *y, unsigned *m, unsigned *d)
{
	int64_t era;
	unsigned doe, yoe, doy, mp;

	z += 719468;
	era = (z >= 0 ? z : z - 146096) / 146097;
	doe = (unsigned)(z - era * 146097);
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*d = doy - (153 * mp + 2) / 5 + 1;
	*m = mp < 10 ? mp + 3 : mp - 9;
	*y = (int)((int64_t)yoe + era * 400 + (*m <= 2));
}

/* Splits milliseconds into whole days and the rest of the day. */
static int64_t
timestamp_split(int64_t ms, int64_t *rest)
{
	int64_t days = ms / DAY_MS;

	*rest = ms % DAY_MS;
	if (*rest < 0) {
		*rest += DAY_MS;
		days--;
	}
	return days;
}

/* Days of a month. */
static unsigned
timestamp_month_days(int y, unsigned m)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;

	return m == 2 && leap ? 29 : days[m - 1];
}

/* Reads exactly n digits. */
static bool
timestamp_digits(const char **p, const char *end, int n, unsigned *out)
{
	*out = 0;
	for (; n > 0; n--, (*p)++) {
		if (*p == end || !isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + (unsigned)(**p - '0');
	}
	return true;
}

/* Takes one given byte. */
static bool
timestamp_byte(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	(*p)++;
	return true;
}

/* Reads `Z`, `+hh:mm`, `-hh:mm` or nothing; *offset in milliseconds. */
static bool
timestamp_offset(const char *p, const char *end, int64_t *offset)
{
	unsigned h, m;
	bool minus;

	*offset = 0;
	if (p == end)
		return true;
	if (*p == 'Z' || *p == 'z')
		return p + 1 == end;
	if (*p != '+' && *p != '-')
		return false;
	minus = *p++ == '-';
	if (!timestamp_digits(&p, end, 2, &h))
		return false;
	timestamp_byte(&p, end, ':');
	if (!timestamp_digits(&p, end, 2, &m) || p != end || h > 23 || m > 59)
		return false;
	*offset = (int64_t)(h * 60 + m) * 60000 * (minus ? -1 : 1);
	return true;
}

/* Reads RFC 3339. */
bool
timestamp_parse(const char *text, size_t len, int64_t *ms)
{
	const char *p = text, *end = text + len;
	unsigned y, mo, d, h, mi, s, milli = 0, scale = 100;
	int64_t offset;

	if (!timestamp_digits(&p, end, 4, &y) || !timestamp_byte(&p, end, '-') ||
	    !timestamp_digits(&p, end, 2, &mo) || !timestamp_byte(&p, end, '-') ||
	    !timestamp_digits(&p, end, 2, &d) || p == end ||
	    (*p != 'T' && *p != 't' && *p != ' '))
		return false;
	p++;
	if (!timestamp_digits(&p, end, 2, &h) || !timestamp_byte(&p, end, ':') ||
	    !timestamp_digits(&p, end, 2, &mi) || !timestamp_byte(&p, end, ':') ||
	    !timestamp_digits(&p, end, 2, &s))
		return false;
	if (y < 1 || mo < 1 || mo > 12 || d < 1 || d > timestamp_month_days((int)y, mo) ||
	    h > 23 || mi > 59 || s > 60)
		return false;
	if (timestamp_byte(&p, end, '.')) {
		if (p == end || !isdigit((unsigned char)*p))
			return false;
		for (; p < end && isdigit((unsigned char)*p); p++, scale /= 10)
			milli += (unsigned)(*p - '0') * scale;
	}
	if (!timestamp_offset(p, end, &offset))
		return false;
	*ms = timestamp_days_from_civil(y, mo, d) * DAY_MS +
	    (int64_t)(h * 3600 + mi * 60 + s) * 1000 + milli - offset;
	return true;
}

/* Writes a number in so many digits. */
static void
timestamp_number(char *out, int count, unsigned n)
{
	while (count-- > 0) {
		out[count] = (char)('0' + n % 10);
		n /= 10;
	}
}

/* Writes the local form. */
void
timestamp_format(int64_t ms, char out[TIMESTAMP_SIZE])
{
	int64_t rest, days = timestamp_split(ms, &rest);
	unsigned m, d;
	int y;

	timestamp_civil_from_days(days, &y, &m, &d);
	memcpy(out, "0000-00-00T00:00:00.000Z", sizeof "0000-00-00T00:00:00.000Z");
	timestamp_number(out, 4, (unsigned)y);
	timestamp_number(out + 5, 2, m);
	timestamp_number(out + 8, 2, d);
	timestamp_number(out + 11, 2, (unsigned)(rest / 3600000));
	timestamp_number(out + 14, 2, (unsigned)(rest / 60000 % 60));
	timestamp_number(out + 17, 2, (unsigned)(rest / 1000 % 60));
	timestamp_number(out + 20, 3, (unsigned)(rest % 1000));
}

/* Writes `Sun, 06 Nov 1994 08:49:37 GMT`. */
void
timestamp_format_http(int64_t ms, char out[TIMESTAMP_SIZE])
{
	int64_t rest, days = timestamp_split(ms, &rest);
	int week = (int)((days % 7 + 7) % 7);
	unsigned m, d;
	int y;

	timestamp_civil_from_days(days, &y, &m, &d);
	snprintf(out, TIMESTAMP_SIZE, "%.3s, %02u %.3s %04d %02d:%02d:%02d GMT",
	    timestamp_days + week * 3, d, timestamp_months + (m - 1) * 3, y,
	    (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60));
}

/* Reads an IMF-fixdate. */
bool
timestamp_parse_http(const char *text, int64_t *ms)
{
	char month[4] = "", zone[4] = "";
	unsigned d, y, h, mi, s, m;
	int used = 0;

	if (sscanf(text, "%*3[A-Za-z], %2u %3[A-Za-z] %4u %2u:%2u:%2u %3s%n", &d, month, &y, &h,
	        &mi, &s, zone, &used) != 7 ||
	    text[used] != '\0' || strcmp(zone, "GMT") != 0)
		return false;
	for (m = 1; m <= 12; m++)
		if (strncmp(timestamp_months + (m - 1) * 3, month, 3) == 0)
			break;
	if (m > 12 || y < 1 || d < 1 || d > timestamp_month_days((int)y, m) || h > 23 ||
	    mi > 59 || s > 60)
		return false;
	*ms = timestamp_days_from_civil(y, m, d) * DAY_MS +
	    (int64_t)(h * 3600 + mi * 60 + s) * 1000;
	return true;
}
