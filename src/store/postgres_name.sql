-- Names and idempotency keys. A name has one holder at a time, a persona or an intent; later
-- personas of the same name (made upstream, adopted) hold nothing until it is their turn.

CREATE FUNCTION hold_of(in_scope text, called text) RETURNS hold LANGUAGE plpgsql AS $$
DECLARE
	h hold;
BEGIN
	SELECT * INTO h FROM hold WHERE scope = in_scope AND md5(name) = md5(called);
	RETURN h;
END
$$;

-- Has a persona hold its name, unless that is held.
CREATE FUNCTION hold_name(p persona) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO hold (scope, name, persona) VALUES (p.scope, p.name, p.seq)
	ON CONFLICT DO NOTHING;
END
$$;

-- Frees a name if it is held so; then the oldest visible persona with that name holds it.
CREATE FUNCTION free_name(in_scope text, called text, by_persona bigint, by_intent bigint)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM hold WHERE scope = in_scope AND md5(name) = md5(called)
	AND persona IS NOT DISTINCT FROM by_persona AND intent IS NOT DISTINCT FROM by_intent;
	IF FOUND THEN
		INSERT INTO hold (scope, name, persona) SELECT scope, name, seq FROM persona
		WHERE scope = in_scope AND md5(name) = md5(called) AND hidden_ms IS NULL
		ORDER BY seq LIMIT 1;
	END IF;
END
$$;

-- Passes what an intent held (NULL: nothing) to the persona, or frees it when that has another
-- name; frees the name that the persona had before (NULL: none), if it left that.
CREATE FUNCTION settle_name(of_intent bigint, held text, p persona, was text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
	IF held = p.name THEN
		UPDATE hold SET persona = p.seq, intent = NULL
		WHERE scope = p.scope AND md5(name) = md5(held) AND intent = of_intent;
	ELSIF held IS NOT NULL THEN
		PERFORM free_name(p.scope, held, NULL, of_intent);
	END IF;
	PERFORM hold_name(p);
	IF was <> p.name THEN
		PERFORM free_name(p.scope, was, p.seq, NULL);
	END IF;
END
$$;

-- Keeps the answer of an intent's create under its key; NULL: forgets the key.
CREATE FUNCTION settle_key(i intent, with_answer text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF with_answer IS NULL THEN
		DELETE FROM key WHERE key = i.key AND intent = i.seq;
	ELSE
		UPDATE key SET intent = NULL, answer = with_answer WHERE key = i.key AND intent = i.seq;
	END IF;
END
$$;
