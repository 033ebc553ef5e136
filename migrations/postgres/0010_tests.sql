-- The questions that an account was given last for a test (a module's slug, or 'final'), and how that went.
CREATE TABLE papers (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    test       TEXT   NOT NULL,
    -- JSON: keys of questions, in their order.
    questions  TEXT   NOT NULL,
    drawn_at   BIGINT NOT NULL,
    -- JSON: the answers as they were given; NULL: not handed in yet.
    answers    TEXT,
    taken_at   BIGINT,
    -- Over all papers of this test: per cent.
    best       BIGINT CHECK (best BETWEEN 0 AND 100),
    passed     BIGINT NOT NULL CHECK (passed IN (0, 1)),
    taken      BIGINT NOT NULL,
    PRIMARY KEY (account_id, test),
    CHECK ((answers IS NULL) = (taken_at IS NULL))
);

-- How often an account was right about a question of the course, in quizzes and tests.
CREATE TABLE asked (
    account_id BIGINT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    question   TEXT   NOT NULL,
    hits       BIGINT NOT NULL,
    misses     BIGINT NOT NULL,
    -- Whether the last answer was right.
    right_last BIGINT NOT NULL CHECK (right_last IN (0, 1)),
    at         BIGINT NOT NULL,
    PRIMARY KEY (account_id, question)
);
