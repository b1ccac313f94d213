# call.sh METHOD URL BODY: one call with curl, unsigned.
set -- "$1" "$2" "$3"
head=$(curl -s -o /dev/null -D - -X "$1" -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$2" | tr -d '\r')
value() { printf '%s\n' "$head" | sed -n "s/^$1: //Ip" | head -1; }
reached=$(value X-Apigw-Reached)
echo "$(printf '%s\n' "$head" | sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p') $(value X-Apigw-Attempts) ${reached:--}"
