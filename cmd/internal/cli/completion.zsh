#compdef brood
# zsh completion for brood

_brood() {
  local cur=${words[CURRENT]}
  local -a call found
  call=(${words[1,CURRENT-1]})
  [[ $cur == -* ]] && call+=($cur)
  found=(${(f)"$($call --generate-bash-completion 2>/dev/null)"})
  if (( $#found )); then
    compadd -a found
  else
    _files
  fi
}

(( $+functions[compdef] )) && compdef _brood brood
