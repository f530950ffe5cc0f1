"""The Lua scripts by which fronts count and claim: each is one step for all of them.

The sorted set `fronts` has the fronts that live, each with the time (by the clock of the Redis) at which its
lease ends unless it is renewed. What a front has claimed or counted holds while its lease does.
"""

_NOW = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
"""
_LIVES = (
    _NOW
    + """
local function lives(front)
  local ends = redis.call('ZSCORE', KEYS[1], front)
  return ends and tonumber(ends) > now
end
"""
)

# KEYS: fronts. ARGV: front, milliseconds of its lease. Returns whether the lease had held, and all who live.
RENEW = (
    _LIVES
    + """
local held = lives(ARGV[1])
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
return {held and 1 or 0, redis.call('ZRANGE', KEYS[1], 0, -1)}
"""
)
# KEYS: fronts. ARGV: front.
LEAVE = "return redis.call('ZREM', KEYS[1], ARGV[1])"

# A claim is a field of a hash: its value is the front, 16 characters, and what the front says of it.
# KEYS: fronts, claims. ARGV: front, name, text. Returns whether the front has the claim.
TAKE = (
    _LIVES
    + """
local value = redis.call('HGET', KEYS[2], ARGV[2])
local holder = value and string.sub(value, 1, 16)
if holder and holder ~= ARGV[1] and lives(holder) then return 0 end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[1] .. ARGV[3])
return 1
"""
)
# KEYS: fronts, claims. ARGV: front, name.
GIVE_BACK = """
local value = redis.call('HGET', KEYS[2], ARGV[2])
if value and string.sub(value, 1, 16) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[2]) end
return 1
"""
# KEYS: fronts, claims. Returns the names and values of claims whose fronts live; forgets the others.
HELD = (
    _LIVES
    + """
local all, held = redis.call('HGETALL', KEYS[2]), {}
for i = 1, #all, 2 do
  if lives(string.sub(all[i + 1], 1, 16)) then
    table.insert(held, all[i])
    table.insert(held, all[i + 1])
  else
    redis.call('HDEL', KEYS[2], all[i])
  end
end
return held
"""
)
# KEYS: fronts, claims. ARGV: front, then each name with its text: all that the front claims.
RESTATE = (
    _LIVES
    + """
local all = redis.call('HGETALL', KEYS[2])
for i = 1, #all, 2 do
  if string.sub(all[i + 1], 1, 16) == ARGV[1] then redis.call('HDEL', KEYS[2], all[i]) end
end
for i = 2, #ARGV, 2 do
  local value = redis.call('HGET', KEYS[2], ARGV[i])
  if not value or not lives(string.sub(value, 1, 16)) then
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[1] .. ARGV[i + 1])
  end
end
return 1
"""
)

# KEYS: the requests of the last minute. ARGV: the most of them, a name for this one.
# Returns whether it is admitted, how many more may come, and milliseconds: until one may, or all may again.
REQUEST = (
    _NOW
    + """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 60000)
local count, most = redis.call('ZCARD', KEYS[1]), tonumber(ARGV[1])
if count >= most then
  local first = redis.call('ZRANGE', KEYS[1], count - most, count - most, 'WITHSCORES')
  return {0, 0, first[2] + 60000 - now}
end
redis.call('ZADD', KEYS[1], now, ARGV[2])
redis.call('PEXPIRE', KEYS[1], 60000)
return {1, most - count - 1, 60000}
"""
)
# KEYS: fronts, the streams of each front. ARGV: front, the most of all. Returns whether one more began.
BEGIN_STREAM = (
    _LIVES
    + """
local all, count = redis.call('HGETALL', KEYS[2]), 0
for i = 1, #all, 2 do
  if all[i] == ARGV[1] or lives(all[i]) then count = count + all[i + 1]
  else redis.call('HDEL', KEYS[2], all[i]) end
end
if count >= tonumber(ARGV[2]) then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
return 1
"""
)
# KEYS: fronts, the streams of each front. ARGV: front.
END_STREAM = """
if redis.call('HINCRBY', KEYS[2], ARGV[1], -1) <= 0 then redis.call('HDEL', KEYS[2], ARGV[1]) end
return 1
"""
# KEYS: fronts, the streams of each front. ARGV: front, how many it has now.
SET_STREAMS = """
if tonumber(ARGV[2]) > 0 then redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
else redis.call('HDEL', KEYS[2], ARGV[1]) end
return 1
"""
# KEYS: the tokens of a day. ARGV: what is known of them, how many are new. Returns the sum of all fronts.
SPEND = """
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', 172800)
return redis.call('INCRBY', KEYS[1], ARGV[2])
"""
