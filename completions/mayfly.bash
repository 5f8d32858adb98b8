# Completion of mayfly(1) for bash.

_mayfly() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]}
    local compile='--level --mode --cpu --cache --no-cache' guest='--env --config --memory --stack'
    local -A options=(
        [serve]="--listen --workers --instances --cpu-limit --timeout --request-body --response-body --guest-log --allow --allow-private --ca-file --resolver --subrequests --access-log $guest $compile --help"
        [run]="--dir $guest $compile --help"
        [compile]="-o $compile --cache-size --verify-cache --threads --deadline --no-start --stats --help"
        [inspect]="--help"
    )
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "${!options[*]} version --help --version" -- "$current")
        return
    fi
    case $previous in
    --level) mapfile -t COMPREPLY < <(compgen -W 'fast optimised aggressive' -- "$current") ;;
    --mode | -m) mapfile -t COMPREPLY < <(compgen -W 'default conforming' -- "$current") ;;
    --cpu) mapfile -t COMPREPLY < <(compgen -W 'x86-64-v2 x86-64-v3' -- "$current") ;;
    --dir | --cache) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    --env) mapfile -t COMPREPLY < <(compgen -e -- "$current") ;;
    --config | --listen | --workers | --instances | --cpu-limit | --timeout | --request-body | --response-body | --guest-log | --allow | --allow-private | --resolver | --subrequests | --memory | --stack | --threads | --deadline | --cache-size) COMPREPLY=() ;;
    *)
        if [[ $current == -* ]]; then
            mapfile -t COMPREPLY < <(compgen -W "${options[$verb]-}" -- "$current")
        else
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
        fi
        ;;
    esac
}
complete -o filenames -F _mayfly mayfly
