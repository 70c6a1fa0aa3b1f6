/* Pages of docs/reference that are made from the tables in the code. */
#ifndef AIKV_SERVER_REFERENCE_H
#define AIKV_SERVER_REFERENCE_H

#include "base/buffer.h"
#include "base/error.h"

typedef void reference_writer(struct buffer *out);

/* The writer of "commands", "configuration", "errors" or "steps", as Markdown; NULL, with CONFIG, for another name. */
reference_writer *reference_page(const char *name, struct error *e);

#endif
