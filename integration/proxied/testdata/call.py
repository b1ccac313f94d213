"""call.py METHOD URL BODY: one call with urllib, unsigned."""
import sys
import urllib.error
import urllib.request

method, url, body = sys.argv[1:]
request = urllib.request.Request(url, method=method, data=body.encode() or None, headers={"Content-Type": "application/json"})
try:
    response = urllib.request.urlopen(request, timeout=30)
except urllib.error.HTTPError as e:
    response = e
response.read()
print(response.status, response.headers["X-Apigw-Attempts"], response.headers.get("X-Apigw-Reached", "-"))
