-- Members, leases and changes (store_member.h).

-- Who writes in this transaction: enter() has said it.
CREATE FUNCTION me() RETURNS uuid LANGUAGE sql STABLE AS $$
	SELECT current_setting('persona_gateway.member')::uuid
$$;

-- Begins a transaction that writes: says who writes, and has it alone in the scopes that it
-- writes to, also those of these intents. All are locked at once and in one order, so that
-- nobody waits in a circle. The locks end with the transaction.
CREATE FUNCTION enter(who uuid, scopes text[], intents text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
	lock integer;
	held integer[] := '{}';
BEGIN
	PERFORM set_config('persona_gateway.member', who::text, true);
	-- Who waits for a gateway that stopped in the middle hears of it.
	PERFORM set_config('lock_timeout', '3s', true);
	-- Every look-up is by an index, whatever the values, so no plan is made twice.
	PERFORM set_config('plan_cache_mode', 'force_generic_plan', true);
	FOR lock IN
		SELECT DISTINCT hashtext(s) FROM (
		    SELECT unnest(scopes) UNION SELECT scope FROM intent WHERE id = ANY (intents)
		) q (s) ORDER BY 1
	LOOP
		PERFORM pg_advisory_xact_lock(1346852697, lock);
		held := held || lock;
	END LOOP;
	-- An intent that was moved to another scope meanwhile.
	IF EXISTS (SELECT FROM intent WHERE id = ANY (intents) AND hashtext(scope) <> ALL (held)) THEN
		RAISE serialization_failure;
	END IF;
END
$$;

-- The reply of a write that was done before; nothing when it was not.
CREATE FUNCTION done_before(which uuid) RETURNS SETOF answer LANGUAGE plpgsql STABLE AS $$
DECLARE
	reply answer[];
BEGIN
	FOR reply IN SELECT rows FROM done WHERE call = which ORDER BY step LOOP
		RETURN QUERY SELECT * FROM unnest(reply);
	END LOOP;
END
$$;

-- Renews a lease and forgets what is old; a row that somebody else is forgetting is left
-- to them. Tells how many members there are.
CREATE FUNCTION renew(who uuid, lease_ms bigint) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO member (id, lease_until)
	VALUES (who, clock_timestamp() + lease_ms * interval '1 ms')
	ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until;
	DELETE FROM done WHERE ctid IN (SELECT ctid FROM done
	    WHERE at < now() - interval '2 minutes' LIMIT 10000 FOR UPDATE SKIP LOCKED);
	DELETE FROM change WHERE ctid IN (SELECT ctid FROM change
	    WHERE at < now() - interval '2 minutes' LIMIT 10000 FOR UPDATE SKIP LOCKED);
	DELETE FROM member WHERE ctid IN (SELECT ctid FROM member
	    WHERE lease_until < now() - interval '1 day' LIMIT 100 FOR UPDATE SKIP LOCKED);
	RETURN (SELECT count(*) FROM member WHERE lease_until > now());
END
$$;

-- Ends a member: what it holds may be taken at once.
CREATE FUNCTION leave(who uuid) RETURNS void LANGUAGE sql AS $$
	DELETE FROM member WHERE id = who
$$;

-- Tells the others that something has changed. It is only a hint, so nothing waits until it
-- is on the disk.
CREATE FUNCTION hint() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('synchronous_commit', 'off', true);
	PERFORM pg_notify('persona_gateway', '');
END
$$;

-- Has the others believe nothing that they read before.
CREATE FUNCTION outdate() RETURNS SETOF answer LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO change (member, kind, scope) VALUES (me(), 'all', '');
	RETURN NEXT say('ok');
END
$$;

-- What others have changed since a snapshot, and the snapshot that this is as of. What was
-- not committed then is not visible in it, whatever its number, so nothing is skipped.
CREATE FUNCTION changes(who uuid, since text)
RETURNS TABLE (now_at text, kind text, scope text, local_id text, upstream_id text, intent_id text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
	last pg_snapshot := nullif(since, '')::pg_snapshot;
BEGIN
	RETURN QUERY SELECT pg_current_snapshot()::text, c.kind, c.scope, c.local_id, c.upstream_id,
	    c.intent_id
	FROM (VALUES (1)) v LEFT JOIN change c ON c.xid >= pg_snapshot_xmin(last)
	    AND NOT pg_visible_in_snapshot(c.xid, last) AND c.member IS DISTINCT FROM who
	ORDER BY c.xid, c.seq;
END
$$;

-- Notes what a reader of a persona would notice.
CREATE FUNCTION note_persona() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'DELETE' THEN
		INSERT INTO change (member, kind, scope, local_id, upstream_id)
		VALUES (me(), 'record', OLD.scope, OLD.local_id, OLD.upstream_id);
	ELSIF TG_OP = 'UPDATE' AND OLD.scope <> NEW.scope THEN
		INSERT INTO change (member, kind, scope)
		VALUES (me(), 'scope', OLD.scope), (me(), 'scope', NEW.scope);
	ELSE
		INSERT INTO change (member, kind, scope, local_id, upstream_id)
		VALUES (me(), 'record', NEW.scope, NEW.local_id, NEW.upstream_id);
	END IF;
	RETURN NULL;
END
$$;
CREATE TRIGGER persona_made AFTER INSERT OR DELETE ON persona
FOR EACH ROW EXECUTE FUNCTION note_persona();
CREATE TRIGGER persona_written AFTER UPDATE ON persona FOR EACH ROW
WHEN ((OLD.scope, OLD.name, OLD.content, OLD.kept, OLD.absent, OLD.hidden_ms, OLD.updated_ms,
    OLD.created_ms) IS DISTINCT FROM (NEW.scope, NEW.name, NEW.content, NEW.kept, NEW.absent,
    NEW.hidden_ms, NEW.updated_ms, NEW.created_ms))
EXECUTE FUNCTION note_persona();

CREATE FUNCTION note_intent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
	i intent := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
BEGIN
	INSERT INTO change (member, kind, scope, local_id, intent_id)
	VALUES (me(), 'intent', i.scope, i.local_id, i.id);
	RETURN NULL;
END
$$;
CREATE TRIGGER intent_written AFTER INSERT OR UPDATE OR DELETE ON intent
FOR EACH ROW EXECUTE FUNCTION note_intent();

-- Finds an intent that this member may settle or drop; an addition is found as an update.
CREATE FUNCTION own_intent(which text, of integer DEFAULT NULL) RETURNS intent
LANGUAGE plpgsql AS $$
DECLARE
	i intent;
BEGIN
	SELECT * INTO i FROM intent WHERE id = which
	AND (of IS NULL OR CASE operation WHEN 3 THEN 1 ELSE operation END = of)
	AND (member = me() OR state = 2) FOR UPDATE;
	RETURN i;
END
$$;

-- Takes an intent over.
CREATE FUNCTION intent_take(which text) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent;
BEGIN
	SELECT * INTO i FROM intent WHERE id = which FOR UPDATE;
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	IF i.member <> me() AND i.state <> 2 AND is_leased(i.member) THEN
		RETURN NEXT say('held');
	ELSE
		IF i.member <> me() THEN
			UPDATE intent SET member = me(), fence = fence + 1 WHERE seq = i.seq
			RETURNING * INTO i;
		END IF;
		RETURN NEXT say('ok');
	END IF;
	RETURN NEXT say_intent(i, me());
END
$$;

CREATE FUNCTION intent_mark(which text, as_state integer, now_ms bigint) RETURNS SETOF answer
LANGUAGE plpgsql AS $$
BEGIN
	UPDATE intent SET state = as_state, touched_ms = now_ms
	WHERE id = which AND (member = me() OR state = 2);
	RETURN NEXT say(CASE WHEN FOUND THEN 'ok' ELSE 'none' END);
END
$$;

CREATE FUNCTION intent_drop(which text) RETURNS SETOF answer LANGUAGE plpgsql AS $$
DECLARE
	i intent := own_intent(which);
BEGIN
	IF i.seq IS NULL THEN
		RETURN NEXT say('none');
		RETURN;
	END IF;
	DELETE FROM intent WHERE seq = i.seq;
	IF i.name IS NOT NULL THEN
		PERFORM free_name(i.scope, i.name, NULL, i.seq);
	END IF;
	PERFORM settle_key(i, NULL);
	RETURN NEXT say('ok');
END
$$;

CREATE FUNCTION intents(who uuid) RETURNS SETOF answer LANGUAGE sql VOLATILE AS $$
	SELECT (say('ok')).*
	UNION ALL (SELECT a.* FROM intent i, LATERAL say_intent(i, who) a ORDER BY i.seq)
$$;

CREATE FUNCTION intent_counts() RETURNS SETOF answer LANGUAGE sql STABLE AS $$
	SELECT (say('ok')).* UNION ALL
	SELECT 'intent', operation, state, min(created_ms), count(*), 0, 0, 0, NULL,
	    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
	FROM intent GROUP BY operation, state
$$;
