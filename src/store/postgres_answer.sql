-- What every function answers with: rows of one form. Of kind 'status' there is one, the
-- first: n1 is the reply's number, t1 the status, t2 the text. postgres_reply.c reads them.

CREATE TYPE answer AS (
	kind text,
	n1 bigint, n2 bigint, n3 bigint, n4 bigint, n5 bigint, n6 bigint, n7 bigint, n8 bigint,
	t1 text, t2 text, t3 text, t4 text, t5 text, t6 text,
	t7 text, t8 text, t9 text, t10 text, t11 text, t12 text,
	bytes bytea
);

-- The replies of writes, by the key of the call: a gateway that lost the connection before
-- the reply came asks for it, and does the write when there is none. Forgotten after minutes.
CREATE TABLE done (
	call uuid NOT NULL,
	step integer NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	rows answer[] NOT NULL,
	PRIMARY KEY (call, step)
);
CREATE INDEX done_age ON done (at);

CREATE FUNCTION say(status text, number bigint DEFAULT 0, words text DEFAULT NULL)
RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('status', number, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	    status, words, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::answer
$$;

-- An id alone: 'tombstone', 'hidden', or a 'scope' with how many it has.
CREATE FUNCTION say_id(kind text, id text, number bigint DEFAULT 0)
RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW(kind, number, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
	    id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)::answer
$$;

CREATE FUNCTION say_persona(p persona) RETURNS answer LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW('record', p.seq, p.created_ms, p.updated_ms, p.content_ms, p.adopted::int,
	    p.unclaimed::int, p.version, NULL, p.scope, p.local_id, p.upstream_id, p.name,
	    p.fingerprint, p.kept, p.absent, p.content, NULL, NULL, NULL, NULL, NULL)::answer
$$;

-- Functions that look something up are in PL/pgSQL, which keeps their plans; one in SQL is
-- planned at each call, unless it becomes a part of what calls it.

-- Whether a member's lease lasts.
CREATE FUNCTION is_leased(who uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM member WHERE id = who AND lease_until > clock_timestamp());
END
$$;

CREATE FUNCTION say_intent(i intent, who uuid) RETURNS answer LANGUAGE sql VOLATILE AS $$
	SELECT ROW('intent', i.operation, i.state, i.created_ms, i.touched_ms, (i.member = who)::int,
	    (NOT is_leased(i.member))::int, i.fence, NULL, i.id, i.scope, i.project, i.local_id,
	    i.upstream_id, i.name, i.fingerprint, i.sent, i.kept, i.absent, i.key, i.key_hash,
	    NULL)::answer
$$;
