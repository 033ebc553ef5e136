-- One sandbox for each account and lab; its id stays the same over resets, which raise the generation.
CREATE TABLE sandboxes (
    id          TEXT   NOT NULL PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lab         TEXT   NOT NULL,
    generation  BIGINT NOT NULL,
    phase       TEXT   NOT NULL CHECK (phase IN ('queued', 'creating', 'booting', 'setting-up', 'ready', 'stopping',
                    'expiring', 'failing', 'restarting', 'stopped', 'expired', 'failed')),
    phase_since BIGINT NOT NULL,
    -- NULL: the phase may last.
    deadline    BIGINT,
    -- Rises with every change of hands. Who writes with an old one is too late.
    fence       BIGINT NOT NULL,
    -- The server process that looks after a phase with a deadline.
    owner       TEXT   NOT NULL,
    queued_at   BIGINT NOT NULL,
    -- JSON: when each step of the way to ready began.
    timeline    TEXT   NOT NULL,
    -- NULL before it was ready.
    ready_at    BIGINT,
    expires_at  BIGINT,
    extensions  BIGINT NOT NULL,
    -- Minutes of the last warning that was given; NULL: none yet.
    warned      BIGINT,
    -- What failed and what to do next.
    error       TEXT,
    CONSTRAINT sandboxes_account_lab_key UNIQUE (account_id, lab)
);
CREATE INDEX sandboxes_by_phase ON sandboxes (phase, queued_at);

-- Server processes that are alive. A row whose owner is not among them belongs to nobody.
CREATE TABLE servers (
    id   TEXT   NOT NULL PRIMARY KEY,
    beat BIGINT NOT NULL
);

-- Keys of this installation, made once. Never shown, never logged.
CREATE TABLE secrets (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

-- The last verdict of each check in a sandbox, whoever asked for it.
CREATE TABLE verdicts (
    sandbox_id TEXT   NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    check_id   TEXT   NOT NULL,
    -- JSON: task, verdict, expected, observed, reason.
    result     TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (sandbox_id, generation, check_id)
);

CREATE TABLE answers (
    sandbox_id TEXT   NOT NULL REFERENCES sandboxes (id) ON DELETE CASCADE,
    generation BIGINT NOT NULL,
    check_id   TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (sandbox_id, generation, check_id)
);

CREATE TABLE hints (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lab        TEXT   NOT NULL,
    task       TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, lab, task, number)
);

-- A graded try. It is written before grading begins, so that a crash neither loses it nor grades it twice.
CREATE TABLE attempts (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lab         TEXT   NOT NULL,
    sandbox_id  TEXT   NOT NULL,
    generation  BIGINT NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('running', 'done', 'abandoned')),
    -- Who grades it; changes hands after a crash. Who finishes with an old one is too late.
    token       TEXT   NOT NULL,
    owner       TEXT   NOT NULL,
    deadline    BIGINT NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    score       BIGINT CHECK (score BETWEEN 0 AND 100),
    passed      BIGINT CHECK (passed IN (0, 1)),
    gated       BIGINT CHECK (gated IN (0, 1)),
    millis      BIGINT,
    -- JSON: every check's verdict with its evidence.
    results     TEXT,
    -- Why it was abandoned.
    reason      TEXT,
    CHECK (state <> 'done' OR (score IS NOT NULL AND passed IS NOT NULL AND gated IS NOT NULL
        AND results IS NOT NULL AND finished_at IS NOT NULL))
);
CREATE INDEX attempts_by_account ON attempts (account_id, lab, id);
-- Checks of one sandbox are graded one after the other.
CREATE UNIQUE INDEX attempts_running_key ON attempts (sandbox_id) WHERE state = 'running';

-- The best done attempt, kept with it in one transaction.
CREATE TABLE best_scores (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    lab        TEXT   NOT NULL,
    attempt_id BIGINT NOT NULL REFERENCES attempts (id),
    score      BIGINT NOT NULL,
    -- Of any attempt so far.
    passed     BIGINT NOT NULL CHECK (passed IN (0, 1)),
    attempts   BIGINT NOT NULL,
    PRIMARY KEY (account_id, lab)
);
