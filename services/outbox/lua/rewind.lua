-- Make unsent again. KEYS: outbox, cursor, sent. ARGV: the lowest member to take back. Answers how many.
local members = redis.call('ZRANGEBYLEX', KEYS[3], ARGV[1], '+')
local least, ms, seq
for _, m in ipairs(members) do
  local id = string.match(m, '|(.*)$')
  local a, b = string.match(id, '^(%d+)-(%d+)$')
  a, b = tonumber(a), tonumber(b)
  if not least or a < ms or (a == ms and b < seq) then
    least, ms, seq = id, a, b
  end
end
if not least then
  return 0
end
redis.call('ZREMRANGEBYLEX', KEYS[3], ARGV[1], '+')
local before = redis.call('XREVRANGE', KEYS[1], '(' .. least, '-', 'COUNT', 1)
if before[1] then
  redis.call('SET', KEYS[2], before[1][1])
else
  redis.call('DEL', KEYS[2])
end
return #members
