-- Those on which nobody works: first those of others, and of each kind not always the same.
-- Bodies are read of those alone.
CREATE FUNCTION intents_left(who uuid, untouched_ms bigint, at_most bigint) RETURNS SETOF answer
LANGUAGE sql VOLATILE AS $$
	SELECT (say('ok')).*
	UNION ALL (SELECT a.* FROM intent i, LATERAL say_intent(i, who) a WHERE i.seq IN (
	    SELECT l.seq FROM intent l WHERE l.state <> 2 AND CASE WHEN l.member = who
	    THEN l.touched_ms < untouched_ms ELSE NOT is_leased(l.member) END
	    ORDER BY l.member = who, random() LIMIT at_most))
$$;
