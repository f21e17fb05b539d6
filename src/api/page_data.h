#ifndef API_PAGE_DATA_H
#define API_PAGE_DATA_H

#include <stddef.h>

/* The files of the page (page.html and so on) as bytes; made by `embed` when the
 * program is built. */
extern const unsigned char page_html[], page_css[], page_js[], page_svg[];
extern const size_t page_html_len, page_css_len, page_js_len, page_svg_len;

#endif
