#include "config.h"

#include "mapping/mapping.h"

/* The default mapping, in the words of the file. */
const char *
mapping_default_text(void)
{
	return "fields:\n"
	       "  name:         name\n"
	       "  description:  {to: description, when_absent: \"\"}\n"
	       "  systemPrompt: {to: goal, when_absent: \"\"}\n"
	       "  createdAt:    {to: created_at, as: timestamp, read_only: true}\n"
	       "constants:\n"
	       "  agent_id: ${project.agent_id}\n"
	       "kept_here: [headers, imageUrl]\n";
}
