-- Grants the permits of a rate limit that many processes share.
--
-- It is the arithmetic of vkanyio.Limiter, where every process sees it: a log of the last
-- permits, by the time at which each may be used. A permit may lie in the near future,
-- so nobody has to poll, and processes take turns. All times are microseconds of this
-- server's clock.
--
-- KEYS: the log of permits; the state; when each process was last here
-- ARGV: 1 the process, 2 the limit, 3 the window, 4 the margin as a part of it,
--   5 whether starts are evenly spaced, 6 for how long nothing is granted after a reset,
--   7 the end of the last silence, if a reset is needed unless there was one since, or
--   '', 8 whether VK has refused a request,
--   9 for how long to pause, 10 the name of a new permit, or '',
--   11 the name of a permit whose time is asked for again, or '',
--   12 how many processes there are, 0 if it is not known,
--   13 for how long nobody need ask: after a longer time, processes may live on their
--   shares,
--   14... names of permits, each with its new time, or '' if it was not used
-- Returns the time; until when nothing is granted; the number of processes; the penalty,
--   as text; the time of the new permit, and 1 if it was granted; the new time of the
--   other one, or -1 if it is void; the limit of the process that was here before.

local FORMAT = '1'
local FORGET_PROCESS = 30000000
local PENALTY_STEP, MAX_PENALTY, PENALTY_HALF_LIFE = 0.05, 1, 30000000
local HORIZON = 10 -- windows: no permit lies further ahead
local KEEP = 86400000 -- milliseconds

local log, state, processes = KEYS[1], KEYS[2], KEYS[3]
local limit, window, margin = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local is_even, silence = ARGV[5] == '1', tonumber(ARGV[6])
local reset_since, refused = tonumber(ARGV[7]), ARGV[8] == '1'
local pause, wanted, doubtful = tonumber(ARGV[9]), ARGV[10], ARGV[11]
local given, max_gap = tonumber(ARGV[12]), tonumber(ARGV[13])

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local saved = redis.call('HMGET', state, 'format', 'server', 'resume', 'next_even',
  'not_before', 'penalty', 'penalty_at', 'limit', 'asked_at', 'size')
if saved[1] and saved[1] ~= FORMAT then
  return redis.error_reply('VKANYIO the data have format ' .. saved[1])
end
local resume = tonumber(saved[3])
local next_even, not_before = tonumber(saved[4]) or 0, tonumber(saved[5]) or 0
local penalty, penalty_at = tonumber(saved[6]) or 0, tonumber(saved[7]) or 0
local asked_at = tonumber(saved[9]) or now

redis.call('ZREMRANGEBYSCORE', processes, '-inf', now - FORGET_PROCESS)
redis.call('ZREMRANGEBYSCORE', processes, '(' .. string.format('%.0f', now), '+inf')
redis.call('ZADD', processes, now, ARGV[1])
local seen = redis.call('ZCARD', processes)

local is_complete = redis.call('ZCARD', log) == tonumber(saved[10])
for i = 14, #ARGV, 2 do
  if ARGV[i + 1] == '' then
    redis.call('ZREM', log, ARGV[i])
  else
    redis.call('ZADD', log, 'XX', ARGV[i + 1], ARGV[i])
  end
end

-- Nobody knows what was started lately, nor which permits are still in use:
-- 1. There are no data: a new server, or they were deleted.
-- 2. They are those of another server, or of its last life, and may be incomplete; or
--    the log was deleted: a server that is short of memory may evict single keys.
-- 3. They lie in the future: the clock was set back.
-- 4. A process has noticed that the clock was set, or has lived on its share.
-- 5. Nobody has asked for a while, or nobody could: others may live on their shares.
local info = redis.pcall('INFO', 'server')
local server = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local newest = redis.call('ZREVRANGE', log, 0, 0, 'WITHSCORES')[2]
if not resume or server ~= saved[2] or not is_complete
  or resume > now + silence
  or (newest and tonumber(newest) > now + (HORIZON + 1) * window)
  or reset_since == resume
  or (math.max(seen, given) > 1 and now - asked_at >= max_gap) then
  redis.call('DEL', log)
  resume, next_even, not_before = now + silence, 0, 0
  penalty_at = math.min(penalty_at, now) -- the penalty itself remains
end

local kept_free = penalty * 2 ^ (-(now - penalty_at) / PENALTY_HALF_LIFE)
if refused and now - penalty_at >= window then -- a volley of refusals counts once
  kept_free = math.min(kept_free + PENALTY_STEP, MAX_PENALTY)
  penalty, penalty_at = kept_free, now
end
not_before = math.max(not_before, now + pause)

local period = window * (1 + margin + kept_free)
local earliest = math.max(now, resume, not_before)

-- A permit that was granted long before its time: others may have started late since.
local moved_to = -1
local rank = doubtful ~= '' and redis.call('ZRANK', log, doubtful)
if rank then
  moved_to = math.max(tonumber(redis.call('ZSCORE', log, doubtful)), earliest)
  if rank >= limit then
    local before = redis.call('ZRANGE', log, rank - limit, rank - limit, 'WITHSCORES')
    moved_to = math.max(moved_to, before[2] + period)
  end
  moved_to = math.ceil(moved_to)
  redis.call('ZADD', log, moved_to, doubtful)
end

local at, granted = 0, 0
if wanted ~= '' then
  at = earliest
  if is_even then at = math.max(at, next_even) end
  local before = redis.call('ZREVRANGE', log, limit - 1, limit - 1, 'WITHSCORES')
  if before[2] then at = math.max(at, before[2] + period) end
  at = math.ceil(at)
  if at <= now + HORIZON * window then
    granted = 1
    redis.call('ZADD', log, at, wanted)
    -- One that is a little late keeps the beat; after a pause it begins anew.
    local beat = period / limit
    next_even = (at < next_even + beat and next_even or at) + beat
  end
end

redis.call('ZREMRANGEBYSCORE', log, '-inf', now - 4 * window)
redis.call('HSET', state, 'format', FORMAT, 'server', server, 'resume', resume,
  'next_even', next_even, 'not_before', not_before, 'penalty', penalty,
  'penalty_at', penalty_at, 'limit', limit, 'asked_at', now,
  'size', redis.call('ZCARD', log))
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, KEEP) end
return {now, resume, seen, tostring(kept_free), at, granted,
  moved_to, tonumber(saved[8]) or limit}
