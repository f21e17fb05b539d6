-- Twins in the local tool, as sqlite_twin.c has them.

CREATE FUNCTION say_twin(t twin) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('twin', t.seq, t.since_ms, t.found::int, t.updated_ms, NULL, NULL, NULL, NULL,
	    t.project, t.twin_id, t.scope, t.local_id, t.name, t.digest, NULL, NULL, NULL, NULL, NULL,
	    NULL, NULL)::answer
$$;

-- A persona of which only these three are told.
CREATE FUNCTION say_place(seq bigint, scope text, local_id text) RETURNS answer
LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('record', seq, 0, 0, 0, 0, 0, 0, NULL, scope, local_id, NULL, NULL, NULL, NULL, NULL,
	    NULL, NULL, NULL, NULL, NULL, NULL)::answer
$$;

-- What is known under a persona's local id, or the id of a create that is on its way to one.
CREATE FUNCTION twin_look(in_scope text, of_id text, who uuid) RETURNS SETOF answer
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	t twin;
	p persona;
	i intent;
BEGIN
	SELECT * INTO t FROM twin WHERE scope = in_scope AND local_id = of_id;
	SELECT * INTO p FROM persona WHERE scope = in_scope AND local_id = of_id;
	SELECT * INTO i FROM intent WHERE scope = in_scope AND local_id = of_id AND operation = 0;
	IF i.seq IS NULL THEN
		SELECT * INTO i FROM intent WHERE id = of_id AND operation = 0;
	END IF;
	RETURN NEXT say('ok', CASE WHEN p.hidden_ms IS NOT NULL THEN 1 ELSE 0 END);
	IF t.seq IS NOT NULL THEN
		RETURN NEXT say_twin(t);
	END IF;
	IF p.seq IS NOT NULL THEN
		RETURN NEXT say_persona(p);
	END IF;
	IF i.seq IS NOT NULL THEN
		RETURN NEXT say_intent(i, who);
	END IF;
END
$$;

-- Whose twin this is. A twin that was not noted yet is known by its id.
CREATE FUNCTION twin_owner(in_project text, id text, in_scope text) RETURNS SETOF answer
LANGUAGE plpgsql STABLE AS $$
DECLARE
	t twin;
	p persona;
BEGIN
	SELECT * INTO t FROM twin WHERE project = in_project AND twin_id = id;
	SELECT * INTO p FROM persona WHERE scope = coalesce(t.scope, in_scope)
	AND local_id = coalesce(t.local_id, id);
	IF t.seq IS NULL AND p.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	RETURN NEXT say('ok', CASE WHEN p.hidden_ms IS NOT NULL THEN 1 ELSE 0 END);
	IF p.seq IS NOT NULL THEN
		RETURN NEXT say_persona(p);
	END IF;
	IF t.seq IS NOT NULL THEN
		RETURN NEXT say_twin(t);
	END IF;
END
$$;

-- Notes the id of a create's twin, unless it is another's or a persona's.
CREATE FUNCTION twin_note(which text, noted_id text, was_found boolean, now_ms bigint)
RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent := own_intent(which, 0);
	was text := coalesce(i.local_id, i.id);
BEGIN
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
	ELSIF EXISTS (SELECT FROM twin WHERE project = i.project AND twin_id = noted_id
	    AND local_id <> was)
	    OR EXISTS (SELECT FROM persona WHERE scope = i.scope AND local_id = noted_id) THEN
		RETURN NEXT say('id taken');
	ELSE
		UPDATE twin SET twin_id = noted_id, local_id = noted_id, found = was_found, updated_ms = 0
		WHERE scope = i.scope AND local_id = was;
		UPDATE intent SET local_id = noted_id, touched_ms = now_ms,
		    state = CASE state WHEN 3 THEN 0 ELSE state END WHERE seq = i.seq;
		RETURN NEXT say('ok');
	END IF;
END
$$;

-- Writes what is known of a persona's twin.
CREATE FUNCTION twin_put(given twin) RETURNS SETOF answer LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM twin WHERE project = given.project AND twin_id = given.twin_id
	AND (scope <> given.scope OR local_id <> given.local_id);
	INSERT INTO twin (project, twin_id, scope, local_id, since_ms, found, updated_ms)
	VALUES (given.project, given.twin_id, given.scope, given.local_id, given.since_ms, given.found,
	    given.updated_ms)
	ON CONFLICT (scope, local_id) DO UPDATE SET project = excluded.project,
	    twin_id = excluded.twin_id, found = excluded.found, updated_ms = excluded.updated_ms;
	RETURN NEXT say('ok');
END
$$;

CREATE FUNCTION twin_drop(in_scope text, id text) RETURNS SETOF answer LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM twin WHERE scope = in_scope AND local_id = id;
	RETURN NEXT say(CASE WHEN FOUND THEN 'ok' ELSE 'none' END);
END
$$;

-- The next of a kind after a number (enum store_twin_pages): all personas; those whose twin is
-- missing, old or to go; twins without persona.
CREATE FUNCTION twin_page(kind integer, after bigint, most bigint) RETURNS SETOF answer
LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN NEXT say('ok');
	IF kind = 0 THEN
		RETURN QUERY SELECT (say_place(seq, scope, local_id)).* FROM persona
		WHERE seq > after ORDER BY seq LIMIT most;
	ELSIF kind = 1 THEN
		RETURN QUERY SELECT (say_place(p.seq, p.scope, p.local_id)).* FROM persona p
		LEFT JOIN twin t ON t.scope = p.scope AND t.local_id = p.local_id
		WHERE p.seq > after AND CASE WHEN t.seq IS NULL THEN p.hidden_ms IS NULL
		    ELSE p.hidden_ms IS NOT NULL OR t.updated_ms <> p.updated_ms END
		ORDER BY p.seq LIMIT most;
	ELSE
		RETURN QUERY SELECT (say_place(t.seq, t.scope, t.local_id)).* FROM twin t
		WHERE t.seq > after AND NOT EXISTS (SELECT FROM persona p
		    WHERE p.scope = t.scope AND p.local_id = t.local_id)
		ORDER BY t.seq LIMIT most;
	END IF;
END
$$;
