-- Whether somebody may see a thread is asked of each row of a list and of each match of a search; with
-- the token in the index that is one look-up, without it two.
DROP INDEX thread_access_by_thread;
CREATE INDEX thread_access_by_thread ON thread_access (thread_id, token);
