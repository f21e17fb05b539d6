# Completion of persona-gateway's commands, options and files in fish. The program's own
# help is asked, so that nothing here has to follow it.

# What the command that was typed (none yet: the program) says of itself.
function __persona_gateway_help
    set -l words (commandline -opc)
    persona-gateway $words[2] --help 2>/dev/null </dev/null
end

# Whether no command was typed yet, or this one was.
function __persona_gateway_in
    set -l words (commandline -opc)
    test "$words[2]" = "$argv[1]"
end

# Whether the last word is an option that takes a value: of this kind, if one is named.
function __persona_gateway_wants
    set -l words (commandline -opc)
    set -l kind '[A-Z][A-Z,]*'
    set -q argv[1]; and set kind $argv[1]
    string match -q -- '--*' $words[-1]; and __persona_gateway_help |
        string match -rq -- "$words[-1] $kind\b"
end

# The options of the command, each with the value that it takes after a tab.
function __persona_gateway_options
    __persona_gateway_help | string match -ra -- '--[a-z][a-z-]*(?: [A-Z][A-Z,]*\b)?' |
        string replace ' ' \t | sort -u
end

# The words of the lists in the help, each with what it means.
function __persona_gateway_list
    __persona_gateway_help | string replace -rf '^  ([a-z][a-z-]*)  +(.*)' '$1\t$2'
end

# The words of the command's usage that are no options and no placeholders.
function __persona_gateway_words
    __persona_gateway_help | string replace -rf '^.*persona-gateway [a-z]+ ' '' | string split ' ' |
        string split '|' | string match -r '^[a-z]+$'
end

# The words that the help names for an option of a few values.
function __persona_gateway_values
    __persona_gateway_help | string match -r -- "--$argv .*" |
        string match -ra '\b(?:jsonl|json|auto|name|id)\b'
end

set -l more 'not __persona_gateway_in ""; and not __persona_gateway_wants'
complete -c persona-gateway -f
complete -c persona-gateway -n '__persona_gateway_in ""' -a '(__persona_gateway_list) --help --version'
complete -c persona-gateway -n $more -a '(__persona_gateway_options) --help'
complete -c persona-gateway -n $more -a '(__persona_gateway_words)'
complete -c persona-gateway -n '__persona_gateway_wants FILE' -F
complete -c persona-gateway -n '__persona_gateway_wants DIR' -a '(__fish_complete_directories)'
complete -c persona-gateway -n '__persona_gateway_wants PROFILE' -a '(__persona_gateway_list)'
complete -c persona-gateway -n '__persona_gateway_wants POLICY' -a '(__persona_gateway_list)'
complete -c persona-gateway -n '__persona_gateway_wants FORM' -a '(__persona_gateway_values "format FORM")'
complete -c persona-gateway -n '__persona_gateway_wants MEMBER' -a '(__persona_gateway_values "by MEMBER")'
complete -c persona-gateway -n '__persona_gateway_in diff; and not __persona_gateway_wants' -F
