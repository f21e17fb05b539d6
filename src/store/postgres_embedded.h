#ifndef POSTGRES_EMBEDDED_H
#define POSTGRES_EMBEDDED_H

#include <stddef.h>

/* The .sql files of this folder as bytes; src/embed makes them when the program is built. */
extern const unsigned char postgres_tables_sql[], postgres_answer_sql[], postgres_name_sql[],
    postgres_member_sql[], postgres_create_sql[], postgres_change_sql[], postgres_seen_sql[],
    postgres_image_sql[], postgres_twin_sql[], postgres_upkeep_sql[],
    postgres_left_sql[];
extern const size_t postgres_tables_sql_len, postgres_answer_sql_len, postgres_name_sql_len,
    postgres_member_sql_len, postgres_create_sql_len, postgres_change_sql_len,
    postgres_seen_sql_len, postgres_image_sql_len, postgres_twin_sql_len, postgres_upkeep_sql_len,
    postgres_left_sql_len;

#endif
