#ifndef API_EMBEDDED_H
#define API_EMBEDDED_H

#include <stddef.h>

/* Files of this folder as bytes (page.html and so on); made by `src/embed` when the
 * program is built. */
extern const unsigned char page_html[], page_css[], page_js[], page_svg[], openapi_json[];
extern const size_t page_html_len, page_css_len, page_js_len, page_svg_len, openapi_json_len;

#endif
