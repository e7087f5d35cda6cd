/*
 * Lines of text made without stdio: numbers, spans, padded columns, in a fixed buffer that is cut and never overrun.
 */
#ifndef LB_BASE_FORMAT_H
#define LB_BASE_FORMAT_H

#include <lbcore/base.h>

#define LB_LINE_BYTES 2048u

typedef struct lb_line_buffer {
	size_t length;
	char text[LB_LINE_BYTES];
} lb_line_buffer;

/* Appends bytes as they are; what does not fit is left out. */
void lb_put_bytes(lb_line_buffer *line, const char *bytes, size_t length);
void lb_put_text(lb_line_buffer *line, const char *text);

/* A decimal number. */
void lb_put_number(lb_line_buffer *line, uint64_t value);

/* A number with `digits` digits behind the point: lb_put_fixed(line, 1234, 2) is 12.34. */
void lb_put_fixed(lb_line_buffer *line, uint64_t value, uint32_t digits);

/* A span in the unit that suits it: 850ns, 12.3us, 4.0ms, 1.2s, 15min, 3.5h. */
void lb_put_span(lb_line_buffer *line, lb_span span);

/*
 * A name in at most `width` characters, a longer one cut and marked by ~. Valid UTF-8 is shown as it is; bytes that are
 * none, and characters that control a terminal or break a line (U+0080 to U+009F, U+2028 to U+202E, U+2066 to U+2069,
 * U+200B to U+200F, U+FEFF), are shown as \xNN.
 */
void lb_put_name(lb_line_buffer *line, const char *name, size_t width);

/* A name inside a JSON string: what is escaped above as \uNNNN, and quotes and backslashes. */
void lb_put_json_name(lb_line_buffer *line, const char *name);

/* Characters (not bytes) since `from`. */
size_t lb_line_width(const lb_line_buffer *line, size_t from);

/* Fills a column that began at byte `from` up to `width` characters: text to its right, numbers to their left. */
void lb_pad_right(lb_line_buffer *line, size_t from, size_t width);
void lb_pad_left(lb_line_buffer *line, size_t from, size_t width);

#endif
