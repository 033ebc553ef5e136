export LANG=C.UTF-8 EDITOR=nano PAGER=less LESS=-R
