/**
 * The tables, and functions for what takes several statements in one transaction. Everything else
 * is a single statement in `postgres-run-store.ts`.
 *
 * Times are milliseconds since 1970 by the server's clock, except those of steps, ends, decisions
 * and scheduled starts, which come from the process.
 *
 * How concurrent changes to a run stay in order:
 * - To change a run, lock its row first and read its events after that, in another statement: a
 *   function sees in each statement what was committed before it.
 * - A worker may only write while the run has the worker's epoch. Claiming a run raises the epoch.
 * - Rows of several runs are locked in the order of `seq`, runs to accept in the order of their
 *   keys. Processes that lock in different orders deadlock.
 *
 * How a statement about a few runs stays fast, however many runs are stored: sessions keep the
 * plans that they made when the tables were small. So such a statement must leave only one way to
 * find its rows, the primary keys.
 * - `write` looks up events by scalar subqueries, not by EXISTS or a join, for which PostgreSQL may
 *   read a whole table.
 * - Conditions on `due_at` are wrapped (`CASE`, `coalesce`, `num_nonnulls`), so that the index
 *   of due runs can't be used for them.
 */
import { EVENT_COLUMNS, EVENT_VALUE, RUN_COLUMNS } from "../rows.ts";

export const TABLES = `
  CREATE TABLE abi_workflows.runs (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    workflow text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint text NOT NULL,
    input json NOT NULL, -- not jsonb: it is returned as it was submitted
    status text COLLATE "C" NOT NULL, -- as RunStatus
    priority integer NOT NULL,
    created_at bigint NOT NULL,
    due_at bigint, -- NULL: it is being executed, waits for a person, or has ended
    due_since bigint, -- when due_at was written, for clocks that are set back
    lease_ends_at bigint, -- NULL: no process executes it
    epoch bigint NOT NULL DEFAULT 0, -- rises each time it is claimed
    resumed_at bigint,
    retry_until bigint, -- end of the retry budget of the step to try again; NULL: none
    cancel_requested boolean NOT NULL DEFAULT false,
    waiting_for text, -- the subject of a decision
    output json, -- partial while it waits for a person
    error json,
    ended_at bigint,
    UNIQUE (workflow, key)
  );
  CREATE INDEX runs_due ON abi_workflows.runs (workflow, priority, due_at, seq) WHERE due_at IS NOT NULL;
  CREATE INDEX runs_held ON abi_workflows.runs (workflow, lease_ends_at) WHERE lease_ends_at IS NOT NULL;
  CREATE INDEX runs_created ON abi_workflows.runs (created_at, seq);
  CREATE INDEX runs_status ON abi_workflows.runs (status, created_at, seq);
  CREATE INDEX runs_workflow ON abi_workflows.runs (workflow, created_at, seq);
  CREATE INDEX runs_workflow_status ON abi_workflows.runs (workflow, status, created_at, seq);

  CREATE TABLE abi_workflows.events ( -- written once, never changed
    run bigint NOT NULL,
    n bigint GENERATED ALWAYS AS IDENTITY, -- rises within a run, because its writers hold the lock of its row
    type text NOT NULL, -- as EventType
    time bigint NOT NULL,
    name text, -- of the step, or the subject of the decision
    is_listed boolean,
    value json,
    error json,
    is_final boolean,
    retry_until bigint,
    PRIMARY KEY (run, n)
  );
  -- The first decision on a subject stands.
  CREATE UNIQUE INDEX events_decided ON abi_workflows.events (run, name) WHERE type = 'decided';

  -- Workers that wait for a slot of a workflow with a limit. UNLOGGED, because the queue need not
  -- survive a crash of the server.
  CREATE UNLOGGED TABLE abi_workflows.waiting_workers (
    workflow text COLLATE "C" NOT NULL,
    worker text NOT NULL,
    since bigint NOT NULL,
    asked_at bigint NOT NULL,
    PRIMARY KEY (workflow, worker)
  );

  CREATE TABLE abi_workflows.migrations (version integer PRIMARY KEY, made_at timestamptz NOT NULL DEFAULT now());`;

export const FUNCTIONS = `
  CREATE FUNCTION abi_workflows.now_ms() RETURNS bigint LANGUAGE sql
  AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;

  CREATE FUNCTION abi_workflows.lease_ms() RETURNS bigint LANGUAGE sql IMMUTABLE AS $$ SELECT 5000::bigint $$;

  -- Makes runs due now if a step waits on its retry budget: one run, or all of them.
  CREATE FUNCTION abi_workflows.hasten(run_id text) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
    waiting bigint[];
  BEGIN
    IF run_id IS NULL THEN
      waiting := ARRAY(
        SELECT seq FROM abi_workflows.runs WHERE due_at IS NOT NULL AND retry_until IS NOT NULL
        ORDER BY seq FOR NO KEY UPDATE);
    ELSE
      waiting := ARRAY(
        SELECT seq FROM abi_workflows.runs WHERE id = run_id AND num_nonnulls(due_at, retry_until) = 2
        FOR NO KEY UPDATE);
    END IF;
    UPDATE abi_workflows.runs SET due_at = least(due_at, moment) WHERE seq = ANY (waiting);
    RETURN FOUND;
  END $$;

  -- Resumes a run that failed or was cancelled, or makes a run due now if a step waits on its retry
  -- budget.
  CREATE FUNCTION abi_workflows.resume(run_id text, available_at bigint) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
  BEGIN
    WITH resumed AS (
      UPDATE abi_workflows.runs
      SET status = 'started', resumed_at = greatest(moment, resumed_at + 1), due_at = coalesce(available_at, moment),
        due_since = moment, ended_at = NULL, error = NULL
      WHERE id = run_id AND status IN ('failed', 'cancelled') RETURNING seq
    )
    INSERT INTO abi_workflows.events (run, type, time) SELECT seq, 'resumed', moment FROM resumed;
    RETURN FOUND OR abi_workflows.hasten(run_id);
  END $$;

  CREATE FUNCTION abi_workflows.accept(run json) RETURNS json LANGUAGE plpgsql AS $$
  DECLARE
    item record;
    known record;
    moment bigint := abi_workflows.now_ms();
  BEGIN
    SELECT * INTO item FROM json_to_record(run)
    AS (id text, workflow text, key text, fingerprint text, input json, available_at bigint, priority integer);
    LOOP
      INSERT INTO abi_workflows.runs (id, workflow, key, fingerprint, input, status, priority, created_at, due_at, due_since)
      VALUES (item.id, item.workflow, item.key, item.fingerprint, item.input -> 0, 'started', item.priority, moment,
        coalesce(item.available_at, moment), moment)
      ON CONFLICT (workflow, key) DO NOTHING;
      IF FOUND THEN
        RETURN json_build_object('id', item.id, 'outcome', 'created');
      END IF;
      -- The lock keeps the run from being forgotten before we have answered, and doesn't block
      -- writers.
      SELECT id, fingerprint INTO known FROM abi_workflows.runs WHERE workflow = item.workflow AND key = item.key
      FOR KEY SHARE;
      EXIT WHEN FOUND; -- otherwise it has just been forgotten
    END LOOP;
    RETURN json_build_object('id', known.id, 'outcome', CASE
      WHEN known.fingerprint <> item.fingerprint THEN 'conflict'
      WHEN known.id = item.id THEN 'created' -- the answer to an earlier try was lost
      WHEN abi_workflows.resume(known.id, item.available_at) THEN 'resumed'
      ELSE 'existing'
    END);
  END $$;

  -- Stores the first decision on a subject and makes a run that waits for it due. Returns false if
  -- it can't be taken.
  CREATE FUNCTION abi_workflows.decide(run_id text, subject text, value json, decided_at bigint)
  RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
    decided bigint;
  BEGIN
    SELECT seq INTO decided FROM abi_workflows.runs
    WHERE id = run_id AND ended_at IS NULL AND coalesce(waiting_for, subject) = subject FOR NO KEY UPDATE;
    IF NOT FOUND OR EXISTS (
      SELECT FROM abi_workflows.events AS event WHERE event.run = decided AND type = 'decided' AND name = subject
    ) THEN
      RETURN false;
    END IF;
    INSERT INTO abi_workflows.events (run, type, time, name, value) VALUES (decided, 'decided', decided_at, subject, value);
    UPDATE abi_workflows.runs
    SET status = 'processing', waiting_for = NULL, output = NULL, due_at = moment, due_since = moment
    WHERE seq = decided AND waiting_for IS NOT NULL;
    RETURN true;
  END $$;

  -- Accepts runs, and writes what a worker has done with the runs that it executes. Each of these
  -- runs has a page:
  -- - steps: what happened to its steps, in their order
  -- - release: how the worker leaves the run ("completed", "failed", "reschedule", "park"), if it
  --   does
  -- - after: the last event of the run that the worker knows to be stored
  -- A page takes effect as a whole or, if the worker no longer holds the run, not at all ("lost").
  --
  -- A page may arrive again after its answer was lost, but is written only once. Events of its
  -- steps above "after" come from an earlier attempt to write it: nobody else writes under this
  -- epoch, and each step begins and ends once in it. A run that has the page's epoch and is no
  -- longer held was released by this page.
  --
  -- If the event "after" is missing, a crash of the server has undone unflushed writes of the
  -- worker ("behind"). The page is then not written. It comes again with everything that may be
  -- missing, and with an "after" that was flushed.
  --
  -- If the row of a due run has an older epoch than the page, a crash of the server has undone the
  -- claim, which isn't flushed. The worker gets the run back, unless another one was faster.
  CREATE FUNCTION abi_workflows.write(accepts json, pages json) RETURNS json LANGUAGE plpgsql
  SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
    accepted json;
    written json;
  BEGIN
    SELECT json_agg(answer ORDER BY place) INTO accepted FROM (
      SELECT place, abi_workflows.accept(run) AS answer FROM json_array_elements(accepts) WITH ORDINALITY AS item (run, place)
      ORDER BY run ->> 'workflow', run ->> 'key'
    ) AS answers;

    PERFORM FROM abi_workflows.runs WHERE seq IN (SELECT seq FROM json_to_recordset(pages) AS page (seq bigint))
    ORDER BY seq FOR NO KEY UPDATE;

    UPDATE abi_workflows.runs
    SET status = 'processing', lease_ends_at = moment + abi_workflows.lease_ms(), epoch = page.epoch, due_at = NULL,
      due_since = NULL, retry_until = NULL
    FROM json_to_recordset(pages) AS page (seq bigint, epoch bigint)
    WHERE runs.seq = page.seq AND CASE WHEN due_at IS NOT NULL THEN runs.epoch < page.epoch END;

    WITH page AS MATERIALIZED (
      SELECT page.*, lease_ends_at IS NOT NULL AND NOT is_behind AS is_held, CASE
        WHEN runs.seq IS NULL OR (lease_ends_at IS NULL AND release IS NULL) THEN 'lost'
        WHEN is_behind THEN 'behind'
        WHEN cancel_requested OR status = 'cancelled' THEN 'cancelled'
        ELSE 'held'
      END AS state
      FROM ROWS FROM (
        json_to_recordset(pages) AS (seq bigint, epoch bigint, after bigint, steps json, release json)
      ) WITH ORDINALITY AS page (seq, epoch, after, steps, release, place)
      LEFT JOIN abi_workflows.runs ON runs.seq = page.seq AND runs.epoch = page.epoch
      CROSS JOIN LATERAL (
        SELECT after > 0 AND (
          SELECT n FROM abi_workflows.events AS event WHERE event.run = page.seq AND n = after
        ) IS NULL AS is_behind
      ) AS last
    ), step AS (
      SELECT page.seq, step.* FROM page CROSS JOIN LATERAL ROWS FROM (json_to_recordset(steps) AS (
        type text, time bigint, name text, is_listed boolean, value json, error json, is_final boolean, retry_until bigint
      )) WITH ORDINALITY AS step (type, time, name, is_listed, value, error, is_final, retry_until, place)
      WHERE is_held AND NOT (state = 'cancelled' AND type = 'step_started') AND (
        SELECT min(n) FROM abi_workflows.events AS event WHERE event.run = page.seq AND n > after
          AND event.type = step.type AND event.name = step.name AND event.is_listed = step.is_listed) IS NULL
    ), release AS (
      SELECT page.seq, release.*, CASE
        WHEN kind IN ('completed', 'failed') THEN kind
        WHEN state = 'cancelled' THEN 'cancelled'
        WHEN kind = 'park' AND (
          SELECT n FROM abi_workflows.events AS event
          WHERE event.run = page.seq AND type = 'decided' AND event.name = release.name
        ) IS NULL THEN 'waiting'
        ELSE 'due'
      END AS becomes
      FROM page CROSS JOIN LATERAL json_to_record(page.release)
      AS release (kind text, time bigint, name text, value json, error json, delay bigint, retry_until bigint)
      WHERE is_held AND kind IS NOT NULL
    ), released AS (
      UPDATE abi_workflows.runs
      SET lease_ends_at = NULL, cancel_requested = false, error = release.error,
        status = CASE becomes WHEN 'due' THEN status WHEN 'waiting' THEN 'waiting_for_approval' ELSE becomes END,
        ended_at = CASE WHEN becomes IN ('completed', 'failed') THEN time WHEN becomes = 'cancelled' THEN moment END,
        output = CASE WHEN becomes IN ('completed', 'waiting') THEN value -> 0 END,
        waiting_for = CASE becomes WHEN 'waiting' THEN name END,
        due_at = CASE becomes WHEN 'due' THEN moment + coalesce(delay, 0) END,
        due_since = CASE becomes WHEN 'due' THEN moment END,
        retry_until = CASE becomes WHEN 'due' THEN release.retry_until END
      FROM release WHERE runs.seq = release.seq
    ), stored AS (
      INSERT INTO abi_workflows.events (run, type, time, name, is_listed, value, error, is_final, retry_until)
      SELECT seq, type, time, name, is_listed, value -> 0, error, is_final, retry_until FROM (
        SELECT * FROM step
        UNION ALL
        SELECT seq, becomes, coalesce(time, moment), CASE becomes WHEN 'waiting' THEN name END, NULL, NULL, error, NULL, NULL, NULL
        FROM release WHERE becomes <> 'due'
      ) AS event
      ORDER BY seq, place -- the run's own event has no place, so it comes after its steps
      RETURNING run, n
    )
    SELECT json_agg(json_build_object('n', (SELECT max(n) FROM stored WHERE run = seq), 'state', state) ORDER BY place)
    INTO written FROM page;

    RETURN json_build_object('accepts', accepted, 'pages', written);
  END $$;

  CREATE TYPE abi_workflows.queue AS (workflow text, priority integer, first_due_at bigint);

  -- The queues of these workflows, one for each priority, and when the first run of each is due. It
  -- reads a few index entries for each queue, however long it is.
  CREATE FUNCTION abi_workflows.queues(workflows text[]) RETURNS SETOF abi_workflows.queue LANGUAGE sql STABLE AS $$
    WITH RECURSIVE queue (workflow, priority) AS (
      SELECT name, (
        SELECT max(run.priority) FROM abi_workflows.runs AS run WHERE run.workflow = name AND run.due_at IS NOT NULL)
      FROM unnest(workflows) AS name
      UNION ALL
      SELECT queue.workflow, (
        SELECT max(run.priority) FROM abi_workflows.runs AS run
        WHERE run.workflow = queue.workflow AND run.priority < queue.priority AND run.due_at IS NOT NULL)
      FROM queue WHERE queue.priority IS NOT NULL
    )
    SELECT queue.workflow, queue.priority, (
      SELECT min(run.due_at) FROM abi_workflows.runs AS run
      WHERE run.workflow = queue.workflow AND run.priority = queue.priority AND run.due_at IS NOT NULL)
    FROM queue WHERE queue.priority IS NOT NULL
  $$;

  -- Claims due runs, and returns them with everything stored about them.
  -- - Runs whose lease has ended come first. They keep their slot, so a limit is never exceeded.
  --   Right after a start of the server no lease counts as ended, because nobody could renew it.
  -- - If a due workflow has a limit, only one process at a time gets past the lock, so two can't
  --   both see the last free slot.
  -- - If no slot is left, workers queue, and the next slot goes to the one that has waited longest.
  --   Otherwise the worker closest to the database, or the one that has just freed a slot, would
  --   get them all. A worker that hasn't asked for three seconds, which is longer than the poll
  --   interval, has ended or already executes as many runs as it may, and loses its turn. So does
  --   one that seems to have asked in the future, because the clock was set back.
  -- - A process doesn't claim a run that it executes itself: it is about to leave that run, or a
  --   crash of the server undid its claim, which its next write repairs. A run that another process
  --   has had since then is no longer its own.
  -- - Plans are made once per session, perhaps while the tables are still small, so only index
  --   scans are allowed. The planner charges so much for the disabled scans that it would compile
  --   the statements; hence jit = off.
  CREATE FUNCTION abi_workflows.claim(
    worker text, most integer, limits json, held bigint[], epochs bigint[], server_start timestamptz DEFAULT pg_postmaster_start_time()
  ) RETURNS json LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
  DECLARE
    all_names text[] := ARRAY(SELECT json_object_keys(limits));
    limited text[] := ARRAY(SELECT key FROM json_each_text(limits) WHERE value IS NOT NULL);
    names text[] := ARRAY(SELECT key FROM json_each_text(limits) WHERE value IS NULL);
    started_at bigint := extract(epoch FROM server_start) * 1000;
    moment bigint := abi_workflows.now_ms();
    has_turn boolean := false;
    claimed bigint[] := '{}';
    tried bigint[] := '{}';
    batch bigint[];
    locked bigint[];
    never_executed bigint[];
    first_executions bigint[] := '{}';
    queues abi_workflows.queue[] := ARRAY(SELECT queue FROM abi_workflows.queues(all_names) AS queue);
    due_in bigint;
    is_more_due boolean;
    own bigint[] := ARRAY(
      SELECT seq FROM unnest(held, epochs) AS hold (seq, epoch)
      WHERE (SELECT runs.epoch FROM abi_workflows.runs WHERE runs.seq = hold.seq) <= hold.epoch);
  BEGIN
    IF EXISTS (SELECT FROM unnest(queues) WHERE workflow = ANY (limited) AND first_due_at <= moment) THEN
      PERFORM pg_advisory_xact_lock(hashtextextended('abi-workflows/places', 0));
      moment := abi_workflows.now_ms();
      names := all_names;
      has_turn := true;
    END IF;

    IF moment NOT BETWEEN started_at AND started_at + abi_workflows.lease_ms() THEN
      claimed := ARRAY(
        SELECT seq FROM abi_workflows.runs
        WHERE workflow = ANY (all_names) AND lease_ends_at <= moment AND seq <> ALL (own)
        LIMIT most FOR NO KEY UPDATE SKIP LOCKED);
      PERFORM abi_workflows.hold(claimed);
    END IF;

    WHILE cardinality(claimed) < most AND EXISTS (SELECT FROM unnest(queues) WHERE first_due_at <= moment) LOOP
      batch := ARRAY(
        WITH workflow AS (
          SELECT name, coalesce(allowed::integer - (
            SELECT count(*) FROM abi_workflows.runs WHERE runs.workflow = name AND lease_ends_at IS NOT NULL
          ) - (
            SELECT count(*) FROM abi_workflows.waiting_workers AS other
            LEFT JOIN abi_workflows.waiting_workers AS me ON me.workflow = name AND me.worker = claim.worker
            WHERE other.workflow = name AND other.worker <> claim.worker AND other.asked_at BETWEEN moment - 3000 AND moment
              AND (me.since IS NULL OR (other.since, other.worker) < (me.since, me.worker))
          ), most) AS places FROM json_each_text(limits) AS item (name, allowed) WHERE name = ANY (names)
        ), candidate AS (
          SELECT run.*, places, row_number() OVER (PARTITION BY name ORDER BY run.priority DESC, due_at, seq) AS place
          FROM workflow
          JOIN unnest(queues) AS queue ON queue.workflow = name AND first_due_at <= moment
          CROSS JOIN LATERAL (
            SELECT seq, runs.priority, due_at FROM abi_workflows.runs
            WHERE runs.workflow = queue.workflow AND runs.priority = queue.priority AND due_at <= moment AND seq <> ALL (own || tried)
            ORDER BY due_at, seq LIMIT most
          ) AS run
          WHERE places > 0
        )
        SELECT seq FROM candidate WHERE place <= places
        ORDER BY candidate.priority DESC, due_at, seq LIMIT most - cardinality(claimed));
      SELECT coalesce(array_agg(seq), '{}'), array_agg(seq) FILTER (WHERE epoch = 0) INTO locked, never_executed FROM (
        SELECT seq, epoch FROM abi_workflows.runs WHERE seq = ANY (batch) AND coalesce(due_at <= moment, false)
        FOR NO KEY UPDATE SKIP LOCKED
      ) AS run;
      first_executions := first_executions || never_executed;
      PERFORM abi_workflows.hold(locked);
      claimed := claimed || locked;
      tried := tried || batch;
      -- If other processes were faster, there may be more to claim.
      EXIT WHEN cardinality(locked) = cardinality(batch);
    END LOOP;

    IF has_turn OR cardinality(claimed) > 0 THEN
      queues := ARRAY(SELECT queue FROM abi_workflows.queues(all_names) AS queue);
    END IF;
    IF has_turn THEN
      DELETE FROM abi_workflows.waiting_workers AS other
      WHERE asked_at NOT BETWEEN moment - 3000 AND moment OR (other.worker = claim.worker AND other.workflow IN (
        SELECT runs.workflow FROM abi_workflows.runs WHERE seq = ANY (claimed)));
      INSERT INTO abi_workflows.waiting_workers AS me (workflow, worker, since, asked_at)
      SELECT DISTINCT queue.workflow, claim.worker, moment, moment FROM unnest(queues) AS queue
      WHERE workflow = ANY (limited) AND first_due_at <= moment AND cardinality(claimed) < most
      ON CONFLICT ON CONSTRAINT waiting_workers_pkey DO UPDATE SET since = least(me.since, moment), asked_at = moment;
    END IF;

    SELECT min(due_at) - moment INTO due_in FROM (
      SELECT first_due_at FROM unnest(queues) WHERE first_due_at > moment
      UNION ALL
      SELECT min(lease_ends_at) FROM abi_workflows.runs
      WHERE workflow = ANY (all_names) AND lease_ends_at > moment AND seq <> ALL (own || claimed)
    ) AS next (due_at);
    is_more_due := cardinality(claimed) = most OR EXISTS (SELECT FROM unnest(queues) WHERE first_due_at <= moment);
    RETURN json_build_object('due_in', due_in, 'is_more_due', is_more_due, 'runs', (
      SELECT json_agg(row_to_json(run) ORDER BY array_position(tried, seq) NULLS FIRST) FROM (
        SELECT epoch, seq = ANY (first_executions) AS "isFirstExecution", ${RUN_COLUMNS}, (
          SELECT json_agg(row_to_json(event) ORDER BY n) FROM (
            SELECT ${EVENT_COLUMNS}, ${EVENT_VALUE} FROM abi_workflows.events WHERE events.run = seq
          ) AS event
        ) AS events
        FROM abi_workflows.runs WHERE seq = ANY (claimed)
      ) AS run));
  END $$;

  -- The epoch is a time, so that none is used twice even if a crash of the server loses the last
  -- one: claims aren't flushed.
  CREATE FUNCTION abi_workflows.hold(claimed bigint[]) RETURNS void LANGUAGE plpgsql AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
  BEGIN
    UPDATE abi_workflows.runs
    SET status = 'processing', lease_ends_at = moment + abi_workflows.lease_ms(), epoch = greatest(epoch + 1, moment),
      due_at = NULL, due_since = NULL, retry_until = NULL, waiting_for = NULL, output = NULL
    WHERE seq = ANY (claimed);
  END $$;

  -- After the clock was set back: what was written in the future is due now, and no lease ends later
  -- than one lease from now. A start at a later time stays as it is. (least() would ignore NULL: held
  -- runs would become due, and due ones would get a lease.)
  CREATE FUNCTION abi_workflows.follow_clock() RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
  DECLARE
    moment bigint := abi_workflows.now_ms();
    last_end bigint := moment + abi_workflows.lease_ms();
    ahead bigint[] := ARRAY(
      SELECT seq FROM abi_workflows.runs
      WHERE due_at > moment AND due_since > moment AND (status <> 'started' OR due_at <= due_since)
      UNION ALL
      SELECT seq FROM abi_workflows.runs WHERE lease_ends_at > last_end);
  BEGIN
    IF cardinality(ahead) > 0 THEN
      PERFORM FROM abi_workflows.runs WHERE seq = ANY (ahead) ORDER BY seq FOR NO KEY UPDATE;
      UPDATE abi_workflows.runs
      SET due_at = CASE WHEN due_at > moment THEN moment ELSE due_at END,
        due_since = CASE WHEN due_since > moment THEN moment ELSE due_since END,
        lease_ends_at = CASE WHEN lease_ends_at > last_end THEN last_end ELSE lease_ends_at END
      WHERE seq = ANY (ahead);
    END IF;
  END $$;`;
