-- Writes a part of an imported room. During the import the room is closed, so no user writes to
-- it. Invariant: after the end of the import nothing is written.
--
-- KEYS[1] meta
-- KEYS[2] log
-- KEYS[3] ids
-- KEYS[4] erased
-- KEYS[5] overlay
-- KEYS[6] pins
-- KEYS[7] reads
-- KEYS[8] roles
-- KEYS[9] reactionsPrefix
-- KEYS[10] repliesPrefix
-- ARGV[1] digest        of the imported file
-- ARGV[2] commands      JSON list of [name, number of the key, end of the key, argument, …]
--
-- Returns 1, or 0 if this file is not being imported into the room.

local keys = {KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]}
if redis.call('HGET', keys[1], 'importing') ~= ARGV[1] then return 0 end
for _, command in ipairs(cjson.decode(ARGV[2])) do
  redis.call(command[1], keys[command[2]] .. command[3], unpack(command, 4))
end
return 1
