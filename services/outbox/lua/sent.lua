-- Mark as published. KEYS: outbox, cursor, sent. ARGV: the last one's outbox id, then a member for each.
for i = 2, #ARGV do
  redis.call('ZADD', KEYS[3], 0, ARGV[i])
end
redis.call('SET', KEYS[2], ARGV[1])
return 0
