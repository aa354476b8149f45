# bash completion for node-agent; made by `node-agent completions bash`
_node_agent() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i command='' second=''
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            --host | --key-file) ((i++)) ;;
            -*) ;;
            *) if [ -z "$command" ]; then command=${COMP_WORDS[i]}; elif [ -z "$second" ]; then second=${COMP_WORDS[i]}; fi ;;
        esac
    done
    local words='' files=
    case $before in
        --key-file | --env-file | --file) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    case $command in
        '') words='serve install upgrade uninstall doctor key cron-run config ping ps run logs exec stop start restart rm images pull push-image build upload get put metrics top cron call completions man --host --key-file --json --help --version' ;;
        serve) words='--dev' ;;
        install) words='--token-stdin --key-file --bind --allow --allow-downgrade --dry-run' ;;
        upgrade) words='--sha256 --allow-downgrade' ;;
        uninstall) words='--purge' ;;
        doctor) words='' ;;
        key) words='' ;;
        cron-run) words='' ;;
        config) words='' ;;
        ping) words='--host --key-file --json --help -h' ;;
        ps) words='--host --key-file --json --help -h' ;;
        run) words='--name --publish -p --volume -v --env -e --env-file --network --restart --replace --pull --label -l --user -u --workdir -w --entrypoint --hostname --memory -m --cpus --cap-add --cap-drop --read-only --tmpfs --log-opt --health-cmd --health-interval --health-timeout --health-retries --health-start-period --detach -d --host --key-file --json --help -h' ;;
        logs) words='--follow -f --tail -n --since --until --timestamps -t --host --key-file --json --help -h' ;;
        exec) words='--env -e --user -u --workdir -w --timeout --split --host --key-file --json --help -h' ;;
        stop) words='--time -t --host --key-file --json --help -h' ;;
        start) words='--host --key-file --json --help -h' ;;
        restart) words='--time -t --host --key-file --json --help -h' ;;
        rm) words='--force -f --volumes -v --host --key-file --json --help -h' ;;
        images) words='--host --key-file --json --help -h' ;;
        pull) words='--registry --username -u --password-stdin --host --key-file --json --help -h' ;;
        push-image) words='--host --key-file --json --help -h' files=1 ;;
        build) words='--tag -t --file -f --build-arg --target --label -l --platform --no-cache --pull --quiet -q --host --key-file --json --help -h' files=1 ;;
        upload) words='--replace --level --connections --links --strip-components --patience --host --key-file --json --help -h' files=1 ;;
        get) words='--host --key-file --json --help -h' files=1 ;;
        put) words='--mode --host --key-file --json --help -h' files=1 ;;
        metrics) words='--prometheus --host --key-file --json --help -h' ;;
        top) words='--interval -n --once --host --key-file --json --help -h' ;;
        cron)
            case $second in
                '') words='list add rm' ;;
                list) words='--host --key-file --json --help -h' ;;
                add) words='--env -e --volume -v --network --host --key-file --json --help -h' ;;
                rm) words='--host --key-file --json --help -h' ;;
            esac ;;
        call) words='--data -d --type --accept --host --key-file --json --help -h' ;;
        completions) words='bash zsh fish' ;;
        man) words='' ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [ -n "$files" ] && [[ $word != -* ]]; then COMPREPLY=($(compgen -f -- "$word")); fi
}
complete -o filenames -F _node_agent node-agent
