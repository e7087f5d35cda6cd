/* Lines of text without stdio. See format.h. */
#include "base/format.h"

#include <stdbool.h>
#include <string.h>

void lb_put_bytes(lb_line_buffer *line, const char *bytes, size_t length)
{
	size_t room = LB_LINE_BYTES - line->length;

	if (length > room)
		length = room;
	memcpy(line->text + line->length, bytes, length);
	line->length += length;
}

void lb_put_text(lb_line_buffer *line, const char *text)
{
	lb_put_bytes(line, text, strlen(text));
}

void lb_put_number(lb_line_buffer *line, uint64_t value)
{
	char digits[20];
	size_t at = sizeof digits;

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	lb_put_bytes(line, digits + at, sizeof digits - at);
}

void lb_put_fixed(lb_line_buffer *line, uint64_t value, uint32_t digits)
{
	uint64_t unit = 1;

	for (uint32_t i = 0; i < digits; i++)
		unit *= 10;
	lb_put_number(line, value / unit);
	if (digits == 0)
		return;
	lb_put_text(line, ".");
	for (uint64_t rest = value % unit; unit > 1; rest %= unit) {
		unit /= 10;
		lb_put_number(line, rest / unit);
	}
}

void lb_put_span(lb_line_buffer *line, lb_span span)
{
	static const struct {
		lb_span from, tenth;
		const char *unit;
	} units[] = {
	    {3600 * LB_SECONDS, 360 * LB_SECONDS, "h"},
	    {60 * LB_SECONDS, 6 * LB_SECONDS, "min"},
	    {LB_SECONDS, 100 * LB_MILLISECONDS, "s"},
	    {LB_MILLISECONDS, 100 * LB_MICROSECONDS, "ms"},
	    {LB_MICROSECONDS, 100, "us"},
	};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (span < units[i].from)
			continue;
		lb_put_fixed(line, span / units[i].tenth, 1);
		lb_put_text(line, units[i].unit);
		return;
	}
	lb_put_number(line, span);
	lb_put_text(line, "ns");
}

/* Reads one character. Returns its bytes and writes its code; 0 bytes: what stands there is no valid UTF-8. */
static size_t read_character(const char *text, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char first = (unsigned char)text[0];
	size_t bytes = first < 0x80                    ? 1
		       : first >= 0xf0 && first < 0xf5 ? 4
		       : first >= 0xe0 && first < 0xf0 ? 3
		       : first >= 0xc2 && first < 0xe0 ? 2
						       : 0;

	*code = bytes == 1 ? first : first & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		unsigned char next = (unsigned char)text[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (next & 0x3f);
	}
	if (bytes == 0 || *code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return bytes;
}

/* Would it move the cursor, break a line or turn its direction? */
static bool harmful(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void put_hex(lb_line_buffer *line, uint32_t value, uint32_t digits)
{
	static const char hex[] = "0123456789abcdef";

	while (digits-- > 0)
		lb_put_bytes(line, &hex[value >> (4 * digits) & 15], 1);
}

/* Reads one character, its bytes and its code. May it be shown as it is? */
static bool read_plain(const char *name, size_t *bytes, uint32_t *code)
{
	*bytes = read_character(name, code);
	return *bytes > 0 && !harmful(*code);
}

/* Puts one character, or its bytes as \xNN. Returns how many bytes of the name that took. */
static size_t put_character(lb_line_buffer *line, const char *name)
{
	size_t bytes;
	uint32_t code;

	if (read_plain(name, &bytes, &code)) {
		lb_put_bytes(line, name, bytes);
		return bytes;
	}
	if (bytes == 0)
		bytes = 1;
	for (size_t i = 0; i < bytes; i++) {
		lb_put_text(line, "\\x");
		put_hex(line, (unsigned char)name[i], 2);
	}
	return bytes;
}

/* The same as JSON has it: \uNNNN is the character's code (all that are escaped have four digits), or a stray byte's value. */
static size_t put_json_character(lb_line_buffer *line, const char *name)
{
	size_t bytes;
	uint32_t code;

	if (*name == '"' || *name == '\\')
		lb_put_text(line, "\\");
	if (read_plain(name, &bytes, &code)) {
		lb_put_bytes(line, name, bytes);
		return bytes;
	}
	lb_put_text(line, "\\u");
	put_hex(line, bytes > 0 ? code : (unsigned char)*name, 4);
	return bytes > 0 ? bytes : 1;
}

void lb_put_name(lb_line_buffer *line, const char *name, size_t width)
{
	size_t from = line->length;

	while (*name != '\0') {
		size_t before = line->length;
		name += put_character(line, name);
		size_t used = lb_line_width(line, from);
		if (used < width || (used == width && *name == '\0'))
			continue;
		/* this one does not fit beside the mark that something is missing */
		line->length = before;
		lb_put_text(line, "~");
		return;
	}
}

void lb_put_json_name(lb_line_buffer *line, const char *name)
{
	while (*name != '\0')
		name += put_json_character(line, name);
}

size_t lb_line_width(const lb_line_buffer *line, size_t from)
{
	size_t width = 0;

	for (size_t i = from; i < line->length; i++)
		width += ((unsigned char)line->text[i] & 0xc0) != 0x80;
	return width;
}

void lb_pad_right(lb_line_buffer *line, size_t from, size_t width)
{
	for (size_t used = lb_line_width(line, from); used < width; used++)
		lb_put_text(line, " ");
}

void lb_pad_left(lb_line_buffer *line, size_t from, size_t width)
{
	size_t used = lb_line_width(line, from);
	size_t blanks = used < width ? width - used : 0;

	if (blanks > LB_LINE_BYTES - line->length)
		blanks = LB_LINE_BYTES - line->length;
	memmove(line->text + from + blanks, line->text + from, line->length - from);
	memset(line->text + from, ' ', blanks);
	line->length += blanks;
}
