-- Threads that become one take away who read the other: found without a walk over all that was read.
CREATE INDEX thread_reads_by_thread ON thread_reads (thread_id);
-- What a server refused for good is tried again by each new connection; mostly there is nothing.
CREATE INDEX occurrences_failed ON occurrences (folder_id, id) WHERE settle = 'failed';
