-- Updates and deletes, as sqlite_change.c does them.

-- A visible persona, which nobody else writes to until this transaction ends.
CREATE FUNCTION visible_persona(in_scope text, id text) RETURNS persona LANGUAGE plpgsql AS $$
DECLARE
	p persona;
BEGIN
	SELECT * INTO p FROM persona WHERE scope = in_scope AND local_id = id AND hidden_ms IS NULL
	FOR UPDATE;
	RETURN p;
END
$$;

-- The unsettled update or delete of a persona.
CREATE FUNCTION pending_intent(p persona) RETURNS intent LANGUAGE plpgsql AS $$
DECLARE
	i intent;
BEGIN
	SELECT * INTO i FROM intent WHERE scope = p.scope AND local_id = p.local_id AND operation <> 0;
	RETURN i;
END
$$;

-- Begins an update.
CREATE FUNCTION update_begin(given intent) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent := given;
	p persona := visible_persona(i.scope, i.local_id);
	renames boolean := i.name <> p.name;
	h hold;
	other intent;
BEGIN
	IF p.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	IF renames THEN
		h := hold_of(i.scope, i.name);
	END IF;
	IF h.persona <> p.seq THEN
		RETURN NEXT say('name taken');
		RETURN;
	END IF;
	other := pending_intent(p);
	IF other.seq IS NULL AND h.intent IS NOT NULL THEN
		SELECT * INTO STRICT other FROM intent WHERE seq = h.intent;
	END IF;
	IF other.seq IS NOT NULL THEN
		RETURN NEXT say('unsettled other');
		RETURN NEXT say_intent(other, me());
		RETURN;
	END IF;
	i.upstream_id := p.upstream_id;
	i := add_intent(i);
	IF renames AND h.persona IS NULL THEN
		INSERT INTO hold (scope, name, intent) VALUES (i.scope, i.name, i.seq);
	END IF;
	RETURN NEXT say('ok');
	RETURN NEXT say_persona(p);
END
$$;

-- Writes a change of kept fields alone.
CREATE FUNCTION update_keep(given persona) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	p persona := visible_persona(given.scope, given.local_id);
	other intent := pending_intent(p);
BEGIN
	IF p.seq IS NULL THEN
		RETURN NEXT say('none');
	ELSIF other.seq IS NOT NULL THEN
		RETURN NEXT say('unsettled other');
		RETURN NEXT say_intent(other, me());
	ELSE
		p.kept := given.kept;
		p.updated_ms := given.updated_ms;
		p.unclaimed := false;
		RETURN NEXT say('ok');
		RETURN NEXT say_persona(write_persona(p));
	END IF;
END
$$;

-- Settles an update.
CREATE FUNCTION update_settle(which text, given persona) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	i intent := own_intent(which, 1);
	p persona;
	was text;
BEGIN
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	p := visible_persona(i.scope, i.local_id);
	DELETE FROM intent WHERE seq = i.seq;
	IF p.seq IS NULL THEN
		IF i.name IS NOT NULL THEN
			PERFORM free_name(i.scope, i.name, NULL, i.seq);
		END IF;
		RETURN NEXT say('none');
		RETURN;
	END IF;
	was := p.name;
	p.name := coalesce(given.name, p.name);
	p.content := given.content;
	p.content_ms := given.content_ms;
	p.kept := given.kept;
	p.absent := given.absent;
	p.updated_ms := given.updated_ms;
	p.unclaimed := false;
	p := write_persona(p);
	PERFORM settle_name(i.seq, i.name, p, was);
	RETURN NEXT say('ok');
	RETURN NEXT say_persona(p);
END
$$;

-- Begins a delete.
CREATE FUNCTION delete_begin(given intent) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent := given;
	p persona := visible_persona(i.scope, i.local_id);
	other intent := pending_intent(p);
BEGIN
	IF p.seq IS NULL THEN
		RETURN NEXT say('none');
	ELSIF other.seq IS NOT NULL THEN
		RETURN NEXT say('unsettled other');
		RETURN NEXT say_intent(other, me());
	ELSE
		i.upstream_id := p.upstream_id;
		PERFORM add_intent(i);
		RETURN NEXT say('ok');
		RETURN NEXT say_persona(p);
	END IF;
END
$$;

-- Settles a delete: removes the record and buries its upstream id.
CREATE FUNCTION delete_settle(which text, now_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	i intent := own_intent(which, 2);
	p persona;
BEGIN
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	DELETE FROM persona WHERE scope = i.scope AND upstream_id = i.upstream_id RETURNING * INTO p;
	INSERT INTO tombstone (scope, upstream_id, deleted_ms, version)
	VALUES (i.scope, i.upstream_id, now_ms, coalesce(p.version, 0))
	ON CONFLICT (scope, upstream_id) DO UPDATE SET deleted_ms = excluded.deleted_ms,
	    version = greatest(tombstone.version, excluded.version);
	DELETE FROM intent WHERE seq = i.seq;
	IF p.seq IS NOT NULL THEN
		PERFORM free_name(p.scope, p.name, p.seq, NULL);
	END IF;
	RETURN NEXT say('ok');
END
$$;
