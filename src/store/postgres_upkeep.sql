-- Housekeeping, as sqlite_upkeep.c does it.

-- Makes one record of two of a persona: the one that goes leaves what it knew.
CREATE FUNCTION join_into(stays persona, goes persona) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p persona := stays;
BEGIN
	DELETE FROM persona WHERE seq = goes.seq;
	IF goes.hidden_ms IS NULL THEN
		PERFORM free_name(goes.scope, goes.name, goes.seq, NULL);
		p.hidden_ms := NULL;
	END IF;
	p.kept := coalesce(p.kept, goes.kept);
	p.absent := coalesce(p.absent, goes.absent);
	IF goes.content_ms > p.content_ms THEN
		p.name := goes.name;
		p.content := goes.content;
		p.content_ms := goes.content_ms;
		p.updated_ms := goes.updated_ms;
	END IF;
	p := write_persona(p);
	IF p.hidden_ms IS NULL THEN
		PERFORM settle_name(0, NULL, p, stays.name);
	END IF;
END
$$;

-- What of a scope can follow its personas and intents into another; the rest of it goes.
CREATE FUNCTION join_rest(left_scope text, into_scope text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO hold (scope, name, persona, intent)
	SELECT into_scope, h.name, h.persona, h.intent FROM hold h WHERE h.scope = left_scope
	AND (EXISTS (SELECT FROM persona p WHERE p.seq = h.persona AND p.scope = into_scope)
	    OR EXISTS (SELECT FROM intent i WHERE i.seq = h.intent AND i.scope = into_scope))
	ON CONFLICT DO NOTHING;
	DELETE FROM hold WHERE scope = left_scope;
	INSERT INTO tombstone (scope, upstream_id, deleted_ms, version)
	SELECT into_scope, upstream_id, deleted_ms, version FROM tombstone WHERE scope = left_scope
	ON CONFLICT DO NOTHING;
	DELETE FROM tombstone WHERE scope = left_scope;
	DELETE FROM twin t WHERE scope = into_scope AND EXISTS (SELECT FROM twin o
	    WHERE o.scope = left_scope AND o.local_id = t.local_id);
	UPDATE twin SET scope = into_scope WHERE scope = left_scope;
	DELETE FROM listing WHERE scope = left_scope;
END
$$;

-- Moves everything of one scope into another. Of two records of a persona the one that a
-- create here made stays, else the one that is in the scope already.
CREATE FUNCTION join_scopes(left_scope text, into_scope text) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	pair record;
	a persona;
	b persona;
	moved bigint;
BEGIN
	IF left_scope = into_scope THEN
		RETURN NEXT say('ok');
		RETURN;
	END IF;
	FOR pair IN
		SELECT f AS a, t AS b FROM persona f JOIN persona t ON t.upstream_id = f.upstream_id
		WHERE f.scope = left_scope AND t.scope = into_scope
	LOOP
		a := pair.a;
		b := pair.b;
		IF b.adopted AND NOT a.adopted THEN
			PERFORM join_into(a, b);
		ELSE
			PERFORM join_into(b, a);
		END IF;
	END LOOP;
	UPDATE persona p SET scope = into_scope, version = version + 1 WHERE scope = left_scope
	AND NOT EXISTS (SELECT FROM persona o WHERE o.scope = into_scope AND o.local_id = p.local_id);
	GET DIAGNOSTICS moved = ROW_COUNT;
	UPDATE intent i SET scope = into_scope WHERE scope = left_scope
	AND (operation = 0 OR NOT EXISTS (SELECT FROM intent o
	    WHERE o.scope = into_scope AND o.local_id = i.local_id AND o.operation <> 0));
	PERFORM join_rest(left_scope, into_scope);
	RETURN NEXT say('ok', moved);
END
$$;

-- Forgets expired keys, and what was deleted or hidden before a moment, unless it is unsettled.
CREATE FUNCTION purge(now_ms bigint, older_than_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	keys bigint;
	tombstones bigint;
	hidden bigint;
BEGIN
	DELETE FROM key WHERE intent IS NULL AND expires_ms <= now_ms;
	GET DIAGNOSTICS keys = ROW_COUNT;
	DELETE FROM tombstone WHERE deleted_ms < older_than_ms;
	GET DIAGNOSTICS tombstones = ROW_COUNT;
	DELETE FROM persona p WHERE hidden_ms < older_than_ms
	AND NOT EXISTS (SELECT FROM intent i
	    WHERE i.scope = p.scope AND i.local_id = p.local_id AND i.operation <> 0);
	GET DIAGNOSTICS hidden = ROW_COUNT;
	RETURN NEXT say('ok', keys + tombstones + hidden);
END
$$;
