-- Creates, as sqlite_create.c does them.

-- Decides a create by its idempotency key, if that was used before; an expired key is
-- forgotten. Nothing: the key does not decide.
CREATE FUNCTION key_decide(i intent, now_ms bigint) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	k key;
	running intent;
BEGIN
	SELECT * INTO k FROM key WHERE key = i.key FOR UPDATE;
	IF k.key IS NULL THEN
		RETURN;
	ELSIF k.intent IS NULL AND k.expires_ms <= now_ms THEN
		DELETE FROM key WHERE key = i.key;
	ELSIF k.hash IS DISTINCT FROM i.key_hash THEN
		RETURN NEXT say('key mismatch');
	ELSIF k.intent IS NULL THEN
		RETURN NEXT say('key answer', 0, k.answer);
	ELSE
		SELECT * INTO STRICT running FROM intent WHERE seq = k.intent;
		RETURN NEXT say('key running');
		RETURN NEXT say_intent(running, me());
	END IF;
END
$$;

-- Says what is in the way of a create with a name; nothing when that is free.
CREATE FUNCTION create_stopped(i intent, since_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	h hold := hold_of(i.scope, i.name);
	other intent;
	p persona;
BEGIN
	IF h.intent IS NOT NULL THEN
		SELECT * INTO STRICT other FROM intent WHERE seq = h.intent;
		RETURN NEXT say(CASE WHEN other.operation = 0 AND other.fingerprint = i.fingerprint
		    AND (other.key IS NULL OR i.key IS NULL) THEN 'unsettled same'
		    ELSE 'unsettled other' END);
		RETURN NEXT say_intent(other, me());
	ELSIF h.persona IS NOT NULL THEN
		IF i.key IS NULL THEN
			SELECT * INTO p FROM persona WHERE scope = i.scope AND md5(name) = md5(i.name)
			AND hidden_ms IS NULL AND unclaimed AND fingerprint = i.fingerprint
			AND created_ms >= since_ms ORDER BY seq LIMIT 1;
		END IF;
		IF p.seq IS NULL THEN
			RETURN NEXT say('name taken');
		ELSE
			RETURN NEXT say('unclaimed');
			RETURN NEXT say_persona(p);
		END IF;
	END IF;
END
$$;

-- Says what is in the way of a create without a name: an equal one.
CREATE FUNCTION create_stopped_unnamed(i intent, since_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	other intent;
	p persona;
BEGIN
	SELECT * INTO other FROM intent WHERE scope = i.scope AND fingerprint = i.fingerprint
	AND name IS NULL AND operation = 0 AND (state = 2 OR state = 1 AND member <> me())
	ORDER BY seq LIMIT 1;
	IF other.seq IS NOT NULL AND (other.key IS NULL OR i.key IS NULL) THEN
		RETURN NEXT say('unsettled same');
		RETURN NEXT say_intent(other, me());
		RETURN;
	END IF;
	IF i.key IS NULL THEN
		SELECT * INTO p FROM persona WHERE scope = i.scope AND name = '' AND hidden_ms IS NULL
		AND unclaimed AND fingerprint = i.fingerprint AND created_ms >= since_ms
		ORDER BY seq LIMIT 1;
	END IF;
	IF p.seq IS NOT NULL THEN
		RETURN NEXT say('unclaimed');
		RETURN NEXT say_persona(p);
	END IF;
END
$$;

-- Records an intent of this member.
CREATE FUNCTION add_intent(i intent) RETURNS intent LANGUAGE plpgsql AS $$
BEGIN
	i.member := me();
	i.fence := 1;
	i.seq := nextval(pg_get_serial_sequence('intent', 'seq'));
	INSERT INTO intent SELECT i.*;
	RETURN i;
END
$$;

-- Begins a create, or says why not.
CREATE FUNCTION create_begin(given intent, twin_digest text, now_ms bigint, key_expires_ms bigint,
    since_ms bigint) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent := given;
BEGIN
	IF i.key IS NOT NULL THEN
		RETURN QUERY SELECT * FROM key_decide(i, now_ms);
		IF FOUND THEN
			RETURN;
		END IF;
	END IF;
	IF i.name IS NULL THEN
		RETURN QUERY SELECT * FROM create_stopped_unnamed(i, since_ms);
	ELSE
		RETURN QUERY SELECT * FROM create_stopped(i, since_ms);
	END IF;
	IF FOUND THEN
		RETURN;
	END IF;
	i := add_intent(i);
	IF i.name IS NOT NULL THEN
		INSERT INTO hold (scope, name, intent) VALUES (i.scope, i.name, i.seq);
	END IF;
	IF i.key IS NOT NULL THEN
		INSERT INTO key (key, hash, intent, expires_ms)
		VALUES (i.key, i.key_hash, i.seq, key_expires_ms);
	END IF;
	IF twin_digest IS NOT NULL THEN
		INSERT INTO twin (project, scope, local_id, name, digest, since_ms, found, updated_ms)
		VALUES (i.project, i.scope, i.id, i.name, twin_digest, i.created_ms, false, 0);
	END IF;
	RETURN NEXT say('ok');
END
$$;

-- Writes a persona over its row, with a new version; names' holds are not touched.
CREATE FUNCTION write_persona(p persona) RETURNS persona LANGUAGE plpgsql AS $$
DECLARE
	written persona;
BEGIN
	UPDATE persona SET name = p.name, created_ms = p.created_ms, updated_ms = p.updated_ms,
	    content_ms = p.content_ms, adopted = p.adopted, unclaimed = p.unclaimed,
	    version = version + 1, hidden_ms = p.hidden_ms, fingerprint = p.fingerprint,
	    kept = p.kept, absent = p.absent, content = p.content
	WHERE seq = p.seq RETURNING * INTO written;
	RETURN written;
END
$$;

-- The record of a create, over one that is there under the same upstream id, whose local id
-- clients may have seen.
CREATE FUNCTION create_over(was persona, made persona) RETURNS persona LANGUAGE plpgsql AS $$
DECLARE
	p persona := was;
BEGIN
	p.created_ms := made.created_ms;
	p.adopted := false;
	p.unclaimed := made.unclaimed;
	p.fingerprint := made.fingerprint;
	p.absent := made.absent;
	p.kept := coalesce(was.kept, made.kept);
	p.hidden_ms := NULL;
	IF made.content_ms >= was.content_ms THEN
		p.name := made.name;
		p.content := made.content;
		p.content_ms := made.content_ms;
		p.updated_ms := made.updated_ms;
	END IF;
	RETURN write_persona(p);
END
$$;

-- Adds a persona under a new number; nothing when its scope knows one of its ids already.
CREATE FUNCTION add_persona(p persona) RETURNS persona LANGUAGE plpgsql AS $$
DECLARE
	added persona;
BEGIN
	p.seq := nextval(pg_get_serial_sequence('persona', 'seq'));
	p.hidden_ms := NULL;
	INSERT INTO persona SELECT p.* ON CONFLICT DO NOTHING RETURNING * INTO added;
	RETURN added;
END
$$;

-- Turns the intent of a create into a record.
CREATE FUNCTION create_settle(which text, given persona, with_answer text) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	i intent := own_intent(which, 0);
	made persona := given;
	was persona;
	now persona;
	buried bigint;
BEGIN
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	made.scope := i.scope;
	made.local_id := coalesce(made.local_id, made.upstream_id);
	made.name := coalesce(made.name, i.name, '');
	SELECT * INTO was FROM persona
	WHERE scope = made.scope AND upstream_id = made.upstream_id FOR UPDATE;
	IF was.seq IS NOT NULL AND NOT was.adopted AND was.hidden_ms IS NULL THEN
		RETURN NEXT say('id taken');
		RETURN;
	END IF;
	DELETE FROM tombstone WHERE scope = made.scope AND upstream_id = made.upstream_id
	RETURNING version INTO buried;
	IF was.seq IS NOT NULL THEN
		now := create_over(was, made);
	ELSE
		made.version := coalesce(buried, 0) + 1;
		made.adopted := false;
		now := add_persona(made);
		IF now.seq IS NULL THEN
			RAISE EXCEPTION 'the local id % belongs to another persona', made.local_id
			    USING ERRCODE = 'integrity_constraint_violation';
		END IF;
	END IF;
	DELETE FROM intent WHERE seq = i.seq;
	PERFORM settle_name(i.seq, i.name, now, was.name);
	PERFORM settle_key(i, with_answer);
	RETURN NEXT say('ok');
	RETURN NEXT say_persona(now);
END
$$;

-- Lets one caller claim a persona.
CREATE FUNCTION claim(in_scope text, id text) RETURNS SETOF answer LANGUAGE plpgsql AS $$
BEGIN
	UPDATE persona SET unclaimed = false, version = version + 1
	WHERE scope = in_scope AND local_id = id AND unclaimed;
	RETURN NEXT say(CASE WHEN FOUND THEN 'ok' ELSE 'none' END);
END
$$;
