#include "config.h"

#include "config/yaml_fault.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define YAML_FAULT_KEY_MAX 1024 /* characters; YAML 1.2, 7.4.2 */
#define YAML_FAULT_SHOWN 60 /* bytes of a name that a sentence repeats */

#define YAML_FAULT_DIRECTIVE                                                                      \
	"a line that starts with % is a directive of YAML, and only %YAML is known; remove the line, " \
	"or quote a text that starts with %"

/* libyaml's words, and what a person should do. %d is the line on which the
 * surrounding part begins. */
struct yaml_fault {
	const char *problem;
	const char *context; /* NULL: any */
	const char *sentence;
	bool at_context; /* the beginning of the part is the more useful place */
};

static const struct yaml_fault yaml_faults[] = {
    {"mapping values are not allowed in this context", NULL,
	"a \":\" cannot start a value here; check the indentation of this line and of the one "
	"before it, and quote a text that holds \": \"", false},
    {"could not find expected ':'", NULL, "this key has no \": value\" after it", true},
    {"found unexpected ':'", "while scanning a plain scalar",
	"a \":\" here needs a space after it, and a text that holds a \":\" needs quotes", false},
    {"found unexpected end of stream", "while scanning a quoted scalar",
	"this quoted text has no closing quote", true},
    {"found unexpected document indicator", "while scanning a quoted scalar",
	"this quoted text has no closing quote", true},
    {"did not find expected alphabetic or numeric character", "while scanning an alias",
	"a text that starts with * must be quoted: write \"*\"", true},
    {"did not find expected alphabetic or numeric character", "while scanning an anchor",
	"a text that starts with & must be quoted", true},
    {"did not find expected ',' or '}'", NULL,
	"the map that begins with { on line %d needs a \",\" or its \"}\" before this", false},
    {"did not find expected ',' or ']'", NULL,
	"the list that begins with [ on line %d needs a \",\" or its \"]\" before this", false},
    {"did not find expected key", "while parsing a block mapping",
	"this does not line up with the map that begins on line %d; its keys must all be indented "
	"alike", false},
    {"did not find expected '-' indicator", NULL,
	"this does not line up with the list that begins on line %d; its items must all be "
	"indented alike", false},
    {"did not find expected <document start>", NULL,
	"the document ended before this; a file holds one document", false},
    {"found incompatible YAML document", NULL, "%YAML must say 1.1 or 1.2", false},
    {"found undefined tag handle", NULL,
	"tags (!name) are not allowed; remove it, or quote a text that starts with !", false},
    {"found unknown directive name", NULL, YAML_FAULT_DIRECTIVE, true},
    {"could not find expected directive name", NULL, YAML_FAULT_DIRECTIVE, true},
    {"found unexpected non-alphabetical character", NULL, YAML_FAULT_DIRECTIVE, true},
    {"did not find expected node content", NULL,
	"neither a key nor a value can start with this; write what is missing before it, remove it, "
	"or put the text in quotes", false},
    {"did not find expected comment or line break", NULL,
	"a block of text begins on the line after its | or >; quote a text that starts with one",
	true},
    {"found invalid Unicode character escape code", NULL,
	"this escape is no character; half of a pair such as \\uD83D\\uDE00 is none, write the "
	"character itself or its code point as \\U0001F600", false},
    {"did not find expected hexdecimal number", NULL,
	"hexadecimal digits are missing here: \\x needs 2, \\u 4 and \\U 8", false},
    {"block sequence entries are not allowed in this context", NULL,
	"a list item cannot stand here; put \"- \" on a line of its own below its key", false},
    {"found unknown escape character", NULL,
	"unknown escape in a text with double quotes; write \\\\ for a backslash, or use single "
	"quotes", false},
    {"found a tab character that violates indentation", NULL,
	"a tab cannot indent; use spaces", false},
    {"found a tab character where an indentation space is expected", NULL,
	"a tab cannot indent; use spaces", false},
};

/* Whether libyaml's words are those of an entry. */
static bool
yaml_fault_is(const yaml_parser_t *parser, const struct yaml_fault *fault)
{
	if (parser->problem == NULL || strcmp(parser->problem, fault->problem) != 0)
		return false;
	return fault->context == NULL ||
	    (parser->context != NULL && strcmp(parser->context, fault->context) == 0);
}

/* What is wrong with a character that nothing can start with. */
static char *
yaml_fault_character(const struct yaml_place *p)
{
	char c = p->byte < p->len ? p->text[p->byte] : '\0';

	if (c == '\t')
		return mem_string("a tab cannot indent; use spaces");
	return mem_format("a text cannot start with \"%c\"; put it in quotes", c);
}

/* Inside a flow map or list the braces of ${NAME} are taken for a map. Gives
 * the sentence for it, with the cursor moved to the dollar, or NULL. */
static char *
yaml_fault_reference(struct yaml_place *p)
{
	const char *end = p->text + p->len, *name = p->text + p->byte + 1, *c;
	size_t len;

	if (p->byte == 0 || name > end || name[-1] != '{' || name[-2] != '$')
		return NULL;
	for (c = name; c < end && (isalnum((unsigned char)*c) || *c == '_' || *c == '.');)
		c++;
	len = (size_t)(c - name);
	yaml_place_byte(p, p->byte - 1);
	/* A default is not repeated: it may be a secret. */
	return mem_format("inside { } or [ ] a ${…} must be quoted: write \"${%.*s%s}\"",
	    len > YAML_FAULT_SHOWN ? YAML_FAULT_SHOWN : (int)len, name,
	    c < end && *c == '}' ? "" : "…");
}

/* A key without "? " in front is looked for in so many characters only. Gives the
 * sentence for a longer one, with the cursor moved to its beginning, or NULL. */
static char *
yaml_fault_long_key(const yaml_parser_t *parser, struct yaml_place *p)
{
	struct yaml_place key = *p, end = *p;

	if (strcmp(parser->problem, "could not find expected ':'") != 0)
		return NULL;
	yaml_place_point(&key, parser->context_mark.index);
	yaml_place_point(&end, key.point + YAML_FAULT_KEY_MAX);
	if (end.line != key.line)
		return NULL;
	*p = key;
	return mem_format("a key of more than %d characters needs \"? \" before it, and its value a "
	    "line of its own that starts with \": \"", YAML_FAULT_KEY_MAX);
}

/* Whether anything but blanks stands before the cursor on its line. */
static bool
yaml_fault_inside_line(const struct yaml_place *p)
{
	size_t i = p->byte;

	while (i > 0 && p->text[i - 1] == ' ')
		i--;
	return i > 0 && p->text[i - 1] != '\n' && p->text[i - 1] != '\r';
}

/* The line of the part that surrounds the mistake. */
static int
yaml_fault_context_line(const yaml_parser_t *parser, const struct yaml_place *p)
{
	struct yaml_place at = *p;

	yaml_place_point(&at, parser->context_mark.index);
	return at.line;
}

/* What libyaml said, in our words where we have some. */
static char *
yaml_fault_sentence(const yaml_parser_t *parser, struct yaml_place *p)
{
	const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
	int line = yaml_fault_context_line(parser, p);
	char *sentence;

	yaml_place_point(p, parser->problem_mark.index);
	if (strcmp(problem, "found character that cannot start any token") == 0)
		return yaml_fault_character(p);
	sentence = yaml_fault_reference(p);
	if (sentence == NULL && p->byte == p->len &&
	    strcmp(problem, "did not find expected node content") == 0)
		return mem_string("the file ends inside a { or [ that is not closed");
	if (sentence == NULL && parser->problem != NULL)
		sentence = yaml_fault_long_key(parser, p);
	if (sentence != NULL)
		return sentence;
	if (strcmp(problem, "did not find expected key") == 0 && yaml_fault_inside_line(p))
		return mem_string("the value ended before this; put the whole text in quotes, or "
		    "remove what follows");
	for (size_t i = 0; i < sizeof yaml_faults / sizeof *yaml_faults; i++) {
		const struct yaml_fault *fault = &yaml_faults[i];
		const char *number;

		if (!yaml_fault_is(parser, fault))
			continue;
		if (fault->at_context)
			yaml_place_point(p, parser->context_mark.index);
		number = strstr(fault->sentence, "%d");
		if (number == NULL)
			return mem_string(fault->sentence);
		return mem_format("%.*s%d%s", (int)(number - fault->sentence), fault->sentence,
		    line, number + 2);
	}
	if (parser->context == NULL)
		return mem_string(problem);
	return mem_format("%s (%s that begins on line %d)", problem, parser->context, line);
}

/* Notes a failure of the parser. */
void
yaml_fault_note(const yaml_parser_t *parser, struct yaml_place *p, const char *file,
    struct diag_list *diags)
{
	char *sentence;

	if (parser->error == YAML_MEMORY_ERROR)
		abort();
	if (parser->error == YAML_READER_ERROR) {
		/* The reader knows bytes only; its marks are zero. */
		yaml_place_byte(p, parser->problem_offset);
		diag_add(diags, file, p->line, p->column,
		    "the control character 0x%02x is not allowed; remove it",
		    (unsigned)parser->problem_value);
		return;
	}
	sentence = yaml_fault_sentence(parser, p);
	diag_add(diags, file, p->line, p->column, "%s", sentence);
	free(sentence);
}
