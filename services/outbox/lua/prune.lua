-- Drop published entries beyond the newest. KEYS: outbox, cursor, sent. ARGV: how many to keep.
local extra = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[1])
if extra <= 0 then
  return 0
end
local members = redis.call('ZRANGE', KEYS[3], 0, extra - 1)
for _, m in ipairs(members) do
  redis.call('XDEL', KEYS[1], string.match(m, '|(.*)$'))
end
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, extra - 1)
return extra
