-- Reads, and what the upstream showed, as sqlite_seen.c has them.

CREATE FUNCTION get(in_scope text, id text) RETURNS SETOF answer LANGUAGE plpgsql STABLE AS $$
DECLARE
	p persona;
BEGIN
	SELECT * INTO p FROM persona WHERE scope = in_scope AND local_id = id AND hidden_ms IS NULL;
	IF FOUND THEN
		RETURN NEXT say('ok');
		RETURN NEXT say_persona(p);
	ELSE
		RETURN NEXT say('none');
	END IF;
END
$$;

CREATE FUNCTION list(in_scope text) RETURNS SETOF answer LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN NEXT say('ok', coalesce((SELECT listed_ms FROM listing WHERE scope = in_scope), 0));
	RETURN QUERY SELECT (say_persona(p)).* FROM persona p
	    WHERE scope = in_scope AND hidden_ms IS NULL ORDER BY created_ms, seq;
	RETURN QUERY SELECT (say_id('tombstone', upstream_id)).* FROM tombstone WHERE scope = in_scope;
	RETURN QUERY SELECT (say_id('hidden', upstream_id)).* FROM persona
	    WHERE scope = in_scope AND hidden_ms IS NOT NULL;
END
$$;

-- What other scopes that begin with a text know.
CREATE FUNCTION elsewhere(prefix text, but text) RETURNS SETOF answer LANGUAGE sql STABLE AS $$
	SELECT (say('ok')).*
	UNION ALL SELECT (say_id('tombstone', upstream_id)).* FROM persona
	WHERE scope ^@ prefix AND scope <> but AND NOT adopted
	UNION ALL SELECT (say_id('tombstone', upstream_id)).* FROM tombstone
	WHERE scope ^@ prefix AND scope <> but
$$;

CREATE FUNCTION page(in_scope text, most bigint, bytes bigint) RETURNS SETOF answer
LANGUAGE sql STABLE AS $$
	SELECT (say('ok', (SELECT count(*) FROM persona WHERE scope = in_scope AND hidden_ms IS NULL))).*
	UNION ALL (SELECT (say_persona(q.p)).* FROM (
	    SELECT p, sum(octet_length(coalesce(content, '')) + octet_length(coalesce(kept, '')))
	        OVER (ORDER BY created_ms, seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
	    FROM persona p WHERE scope = in_scope AND hidden_ms IS NULL
	    ORDER BY created_ms, seq LIMIT most) q WHERE coalesce(q.before, 0) < bytes)
$$;

CREATE FUNCTION scopes(counted boolean) RETURNS SETOF answer LANGUAGE plpgsql STABLE AS $$
DECLARE
	s text := '';
BEGIN
	RETURN NEXT say('ok');
	IF counted THEN
		RETURN QUERY SELECT (say_id('scope', scope, count(*))).* FROM persona
		WHERE hidden_ms IS NULL GROUP BY scope ORDER BY scope;
		RETURN;
	END IF;
	-- From one scope to the next by the index, past all that is between.
	LOOP
		SELECT min(scope) INTO s FROM persona WHERE hidden_ms IS NULL AND scope > s;
		EXIT WHEN s IS NULL;
		RETURN NEXT say_id('scope', s);
	END LOOP;
END
$$;

-- Notes that a scope was listed.
CREATE FUNCTION adopt_listing(in_scope text, at_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO listing (scope, listed_ms) VALUES (in_scope, at_ms) ON CONFLICT (scope)
	DO UPDATE SET listed_ms = greatest(listing.listed_ms, excluded.listed_ms);
	RETURN NEXT say('ok');
END
$$;

-- Adopts or brings back one persona of a listing, unless it is known or was deleted here, or
-- cannot be told apart.
CREATE FUNCTION adopt(shown persona) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	p persona;
BEGIN
	IF shown.upstream_id IS NULL THEN
		RETURN;
	END IF;
	SELECT * INTO p FROM persona
	WHERE scope = shown.scope AND upstream_id = shown.upstream_id FOR UPDATE;
	IF (p.seq IS NOT NULL AND p.hidden_ms IS NULL) OR EXISTS (SELECT FROM tombstone
	    WHERE scope = shown.scope AND upstream_id = shown.upstream_id) THEN
		RETURN;
	END IF;
	IF p.seq IS NOT NULL THEN
		p.name := coalesce(shown.name, p.name);
		p.content := shown.content;
		p.content_ms := shown.content_ms;
		p.updated_ms := greatest(p.updated_ms, shown.updated_ms);
		p.hidden_ms := NULL;
		p := write_persona(p);
	ELSE
		shown.local_id := coalesce(shown.local_id, shown.upstream_id);
		shown.name := coalesce(shown.name, '');
		shown.adopted := true;
		shown.unclaimed := false;
		shown.fingerprint := NULL;
		shown.version := 1;
		p := add_persona(shown);
	END IF;
	IF p.seq IS NOT NULL THEN
		PERFORM hold_name(p);
		RETURN NEXT say_persona(p);
	END IF;
END
$$;

-- Writes what a read saw of one persona, if nothing came in between.
CREATE FUNCTION refresh(seen persona) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	p persona := visible_persona(seen.scope, seen.local_id);
	was text := p.name;
BEGIN
	IF p.version IS DISTINCT FROM seen.version OR (pending_intent(p)).seq IS NOT NULL THEN
		RETURN NEXT say('ok', 0);
		RETURN;
	END IF;
	p.name := coalesce(seen.name, p.name);
	p.content := seen.content;
	p.content_ms := seen.content_ms;
	p.absent := seen.absent;
	p.updated_ms := seen.updated_ms;
	p.unclaimed := p.unclaimed AND seen.unclaimed;
	p := write_persona(p);
	IF was <> p.name THEN
		PERFORM settle_name(0, NULL, p, was);
	END IF;
	RETURN NEXT say('ok', 1);
END
$$;

-- Hides a persona and frees its name.
CREATE FUNCTION hide(in_scope text, id text, now_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	p persona := visible_persona(in_scope, id);
BEGIN
	IF p.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	UPDATE persona SET hidden_ms = now_ms, version = version + 1 WHERE seq = p.seq;
	PERFORM free_name(p.scope, p.name, p.seq, NULL);
	RETURN NEXT say('ok');
END
$$;

-- Writes a row that nobody reads.
CREATE FUNCTION probe(now_ms bigint) RETURNS SETOF answer LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO meta (name, value) VALUES ('probe', now_ms::text)
	ON CONFLICT (name) DO UPDATE SET value = excluded.value;
	RETURN NEXT say('ok');
END
$$;
