-- Images, as sqlite_image.c has them; their bytes are pieces of 256 KiB.

CREATE FUNCTION say_image(i image) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('image', i.size, i.created_ms, NULL, NULL, NULL, NULL, NULL, NULL, i.project, i.id,
	    i.role, i.type, i.filename, i.maker, i.digest, NULL, NULL, NULL, NULL, NULL, NULL)::answer
$$;

-- Bytes of an image.
CREATE FUNCTION say_bytes(data bytea) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('bytes', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	    NULL, NULL, NULL, NULL, NULL, NULL, NULL, data)::answer
$$;

-- Adds an image; its size and digest are those of the bytes.
CREATE FUNCTION image_put(given image, bytes bytea) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i image := given;
	piece constant integer := 262144;
BEGIN
	i.seq := nextval(pg_get_serial_sequence('image', 'seq'));
	i.size := length(bytes);
	i.digest := encode(sha256(bytes), 'hex');
	INSERT INTO image SELECT i.*;
	INSERT INTO image_piece (image, start, data)
	SELECT i.seq, s, substring(bytes FROM s + 1 FOR piece)
	FROM generate_series(0, length(bytes) - 1, piece) s;
	RETURN NEXT say('ok');
	RETURN NEXT say_image(i);
END
$$;

-- Finds an image of a project, and at most so many of its bytes, from one on.
CREATE FUNCTION image_get(of_project text, which text, from_byte bigint, most bigint)
RETURNS SETOF answer LANGUAGE plpgsql STABLE AS $$
DECLARE
	i image;
	first bigint;
	bytes bytea;
BEGIN
	SELECT * INTO i FROM image WHERE id = which AND project = of_project;
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	RETURN NEXT say('ok', from_byte);
	RETURN NEXT say_image(i);
	IF most <= 0 THEN
		RETURN;
	END IF;
	SELECT max(start) INTO first FROM image_piece WHERE image = i.seq AND start <= from_byte;
	SELECT string_agg(data, '' ORDER BY start) INTO bytes FROM image_piece
	WHERE image = i.seq AND start >= first AND start < from_byte + most;
	RETURN NEXT say_bytes(coalesce(substring(bytes FROM (from_byte - first)::integer + 1
	    FOR most::integer), ''));
END
$$;

CREATE FUNCTION image_list(of_project text, with_role text) RETURNS SETOF answer
LANGUAGE sql STABLE AS $$
	SELECT (say('ok')).* UNION ALL (SELECT (say_image(i)).* FROM image i
	    WHERE project = of_project AND role = with_role ORDER BY seq)
$$;

CREATE FUNCTION image_delete(of_project text, which text) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	i image;
BEGIN
	DELETE FROM image WHERE id = which AND project = of_project RETURNING * INTO i;
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
	ELSE
		RETURN NEXT say('ok');
		RETURN NEXT say_image(i);
	END IF;
END
$$;

-- Deletes what was made for a persona and no other one of its scope mentions.
CREATE FUNCTION image_release(in_scope text, of_maker text) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
DECLARE
	gone image[];
BEGIN
	WITH d AS (
	    DELETE FROM image WHERE maker = of_maker
	    AND NOT EXISTS (SELECT FROM persona p
	        WHERE p.scope = in_scope AND strpos(p.kept, image.id) > 0)
	    AND NOT EXISTS (SELECT FROM intent i
	        WHERE i.scope = in_scope AND i.operation <> 0 AND strpos(i.kept, image.id) > 0)
	    RETURNING image
	) SELECT array_agg(d.image) INTO gone FROM d;
	RETURN NEXT say('ok', coalesce(cardinality(gone), 0));
	RETURN QUERY SELECT (say_image(g)).* FROM unnest(gone) g;
END
$$;
